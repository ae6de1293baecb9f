"""The rows of the call log as reports count them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, cast, false, func, or_, select
from sqlalchemy.orm import Session

from models.call import Call
from models.reporting.changes import day_span
from models.reporting.clocks import seconds_of
from models.reporting.newcomers import caller_of_call, group_of_call, known_callers
from models.reporting.period import Span, joined
from models.reporting.scope import Scope, among
from models.reporting.tally import outcome


def facts(
    session: Session,
    spans: Sequence[Span],
    scope: Scope,
    *,
    callers: bool = False,
    unsettled: Collection[date] = (),
) -> CTE:
    """One row a call of the spans and scope.

    Columns: `started_at`, `seconds` since 1970, `group_id`, `campaign_id`, `number`, `country`, `state`,
    `reason`, `outcome`, `caller`; with `callers` also `is_first`, which on PostgreSQL rests on what is
    known of callers but for the days `unsettled`, which have changed since.
    """
    rows = select(
        Call.started_at,
        seconds_of(session, Call.started_at).label("seconds"),
        Call.group_id,
        Call.campaign_id,
        Call.tracking_number.label("number"),
        Call.caller_country.label("country"),
        Call.caller_state.label("state"),
        Call.reason,
        outcome.label("outcome"),
        caller_of_call.label("caller"),
    ).where(*among(session, Call.group_id, scope.group_ids))
    if not callers:
        wanted = [_within(Call.started_at, spans), *_filtered(Call.campaign_id, Call.tracking_number, scope)]
        return rows.where(*wanted).cte("facts")
    turns = _with_turns(session, rows, spans, unsettled).cte("turns")
    wanted = [_within(turns.c.started_at, spans), *_filtered(turns.c.campaign_id, turns.c.number, scope)]
    return select(turns).where(*wanted).cte("facts")


def _with_turns(
    session: Session, rows: Select[Any], spans: Sequence[Span], unsettled: Collection[date]
) -> Select[Any]:
    """Rows of whole days, and whether each is the first of its caller; in SQLite of the whole log."""
    turn = func.row_number().over(
        partition_by=(group_of_call, caller_of_call), order_by=(Call.started_at, Call.id)
    )
    if session.get_bind().dialect.name != "postgresql":
        numbered = rows.add_columns(turn.label("turn")).subquery("numbered")
        return select(numbered, and_(numbered.c.caller.is_not(None), numbered.c.turn == 1).label("is_first"))
    same = and_(known_callers.c.group_id == group_of_call, known_callers.c.caller == caller_of_call)
    days = _whole_days(spans, unsettled)
    known = rows.add_columns(turn.label("turn"), known_callers.c.day.label("known"))
    numbered = known.outerjoin(known_callers, same).where(_within(Call.started_at, days)).subquery("numbered")
    day = cast(func.timezone("UTC", numbered.c.started_at), Date())
    return select(
        numbered,
        and_(
            numbered.c.caller.is_not(None),
            numbered.c.turn == 1,
            or_(numbered.c.known.is_(None), numbered.c.known >= day, numbered.c.known.in_(unsettled)),
        ).label("is_first"),
    )


def _whole_days(spans: Iterable[Span], unsettled: Iterable[date]) -> list[Span]:
    found = [day_span(day) for day in unsettled]
    for span in spans:
        last = (span.end - timedelta(microseconds=1)).date()
        found.append(Span(day_span(span.begin.date()).begin, day_span(last).end))
    return joined(found)


def _within(instant: Any, spans: Iterable[Span]) -> ColumnElement[bool]:  # noqa: ANN401 - a column, mapped or not
    return or_(false(), *(and_(instant >= span.begin, instant < span.end) for span in spans))


def _filtered(campaign_id: Any, number: Any, scope: Scope) -> list[ColumnElement[bool]]:  # noqa: ANN401 - as above
    found: list[ColumnElement[bool]] = []
    if scope.campaign_id is not None:
        found.append(campaign_id == scope.campaign_id)
    if scope.number is not None:
        found.append(number == scope.number)
    return found

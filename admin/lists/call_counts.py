"""The calls behind a figure of a report, as filters of the call log."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import ColumnElement, Text, func, literal, select, type_coerce
from sqlalchemy.orm import Session, aliased

from admin.access.actor import Actor
from admin.drafts import Instant, Line
from admin.lists.listing import Filters, dialect_of
from models.call import Call
from models.reporting.changes import changed_days, day_of_call, day_span
from models.reporting.clocks import Clocks, seconds_of
from models.reporting.newcomers import NO_GROUP, caller_of_call, group_of_call, known_callers
from models.reporting.period import Span
from models.reporting.tally import outcome

Outcome = Literal["answered", "missed", "open", "referral", "rejected", "apology"]
Missing = Literal["campaign", "group", "country", "state", "caller"]
_COLUMNS: Mapping[str, Any] = {
    "campaign": Call.campaign_id,
    "group": Call.group_id,
    "country": Call.caller_country,
    "state": Call.caller_state,
    "caller": caller_of_call,
}
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the log is empty."""
_A_MOMENT = timedelta(seconds=1)


class CountedFilters(Filters):
    """What reports tell calls apart by."""

    started_from: Instant | None = None
    started_before: Instant | None = None
    outcome: Annotated[
        list[Outcome], Field(default_factory=list, description="what became of it, as reports count it")
    ]
    country: Annotated[Line | None, Field(description="where the caller rings from", examples=["US"])] = None
    state: Annotated[Line | None, Field(examples=["CA"])] = None
    hour: Annotated[
        int | None, Field(ge=0, le=23, description="of the day, on the clocks of your user's time zone")
    ] = None
    first_time: Annotated[
        bool | None,
        Field(description="whether it is the first call of this caller to this group; with `started_from`"),
    ] = None
    without: Annotated[
        list[Missing], Field(default_factory=list, description="calls of which this is not known, or is none")
    ]


def counted_conditions(session: Session, actor: Actor, filters: CountedFilters) -> list[ColumnElement[bool]]:
    """Rows of the log that reports count under these filters; the ends of the span are not among them."""
    found = [_COLUMNS[name].is_(None) for name in filters.without]
    if filters.outcome:
        found.append(outcome.in_(filters.outcome))
    if filters.country:
        found.append(Call.caller_country == filters.country)
    if filters.state:
        found.append(Call.caller_state == filters.state)
    if filters.hour is not None:
        found.append(_hour(session, actor, filters) == filters.hour)
    if filters.first_time is not None:
        is_first = _is_first(session, filters)
        found += [caller_of_call.is_not(None), is_first if filters.first_time else ~is_first]
    return found


def _hour(session: Session, actor: Actor, filters: CountedFilters) -> ColumnElement[Any]:
    """What the clocks of the actor's zone showed when a call began."""
    first = session.scalar(select(func.min(Call.started_at))) or _NEVER
    last = session.scalar(select(func.max(Call.started_at))) or _NEVER
    # As far as the log goes: a filter may name any year.
    begin, end = max(filters.started_from or first, first), min(filters.started_before or last, last)
    clocks = Clocks.of(ZoneInfo(actor.time_zone), Span(begin, end + _A_MOMENT))
    return clocks.hour(seconds_of(session, Call.started_at))


def _is_first(session: Session, filters: CountedFilters) -> ColumnElement[bool]:
    """Whether this caller has never called this group before, as reports count it."""
    if dialect_of(session) != "postgresql":
        turn = func.row_number().over(
            partition_by=(group_of_call, caller_of_call), order_by=(Call.started_at, Call.id)
        )
        turns = select(Call.id, turn.label("turn")).subquery("turns")
        return Call.id.in_(select(turns.c.id).where(turns.c.turn == 1))
    earlier = aliased(Call, name="earlier")
    in_the_log = select(literal(1)).where(
        func.coalesce(type_coerce(earlier.caller, Text()), earlier.caller_hash) == caller_of_call,
        func.coalesce(earlier.group_id, NO_GROUP) == group_of_call,
        earlier.started_at >= _not_rolled_up_since(session, filters),
        (earlier.started_at < Call.started_at)
        | ((earlier.started_at == Call.started_at) & (earlier.id < Call.id)),
    )
    # Of all earlier days the roll-ups know who called.
    known = select(literal(1)).where(
        known_callers.c.group_id == group_of_call,
        known_callers.c.caller == caller_of_call,
        known_callers.c.day < day_of_call,
    )
    return ~in_the_log.exists() & ~known.exists()


def _not_rolled_up_since(session: Session, filters: CountedFilters) -> datetime:
    """Where the log has to be looked through from: the first day that is asked for, or has changed."""
    begins = filters.started_from or _NEVER
    return min(day_span(day).begin for day in {begins.astimezone(UTC).date(), *changed_days(session)})

"""The rows of the call log as reports count them."""

from sqlalchemy import CTE, ColumnElement, and_, literal, select
from sqlalchemy.orm import Session

from models.call import Call
from models.reporting.clocks import seconds_of
from models.reporting.period import Span
from models.reporting.scope import Scope, among
from models.reporting.tally import outcome


def facts(session: Session, span: Span, scope: Scope, *, callers: bool = False) -> CTE:
    """One row a call of the span and scope.

    Columns: `seconds` since 1970, `group_id`, `campaign_id`, `number`, `country`, `state`, `reason`,
    `outcome`, `caller`, `started_at`; with `callers` also `is_first`.
    """
    seen = among(session, Call.group_id, scope.group_ids)
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
        Call.caller,
    ).where(*seen)
    within: list[ColumnElement[bool]] = []
    if callers:
        earlier = Call.__table__.alias("earlier")
        has_earlier = (
            select(literal(1))
            .where(
                earlier.c.caller == Call.caller,
                earlier.c.group_id.is_not_distinct_from(Call.group_id),
                (earlier.c.started_at < Call.started_at)
                | ((earlier.c.started_at == Call.started_at) & (earlier.c.id < Call.id)),
            )
            .exists()
        )
        rows = rows.add_columns(and_(Call.caller.is_not(None), ~has_earlier).label("is_first"))
    within += [Call.started_at >= span.begin, Call.started_at < span.end]
    if scope.campaign_id is not None:
        within.append(Call.campaign_id == scope.campaign_id)
    if scope.number is not None:
        within.append(Call.tracking_number == scope.number)
    return rows.where(*within).cte("facts")

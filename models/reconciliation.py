"""What the call log lacks: calls whose end or arrival it never heard of, and what is filled in for them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, or_, select
from sqlalchemy.orm import Session

from models.bulk import Columns, Upsert
from models.call import CALL_KEY, Call
from models.call_merge import Expression
from models.campaign import Campaign
from models.tracking_number import TrackingNumber
from routing.numbers import PhoneNumber

_CALLS: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """As much of a row as tells what it lacks; members as the columns of `Call`."""

    id: int
    call_sid: str
    decision: str | None
    disposition_rank: int | None
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    reconciled_at: datetime | None

    @property
    def lacks_something(self) -> bool:
        """Whether its end or its arrival never came, and the carrier was not asked yet."""
        return self.reconciled_at is None and (self.ended_at is None or self.decision is None)


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose a tracking number was from `since` on, and the campaign that it is on now."""

    number: PhoneNumber
    since: datetime
    group_id: int
    campaign_id: int | None
    campaign_external_id: str | None


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call of which the log has no arrival, as the carrier's record tells it; members as columns."""

    carrier: str
    call_sid: str
    started_at: datetime
    created_at: datetime
    tracking_number: PhoneNumber | None
    dialled_text: str | None
    caller: PhoneNumber | None
    destination: PhoneNumber | None
    group_id: int | None
    campaign_id: int | None
    campaign_external_id: str | None


_FOUND_COLUMNS = (
    *("started_at", "created_at", "tracking_number", "dialled_text", "caller", "destination"),
    *("group_id", "campaign_id", "campaign_external_id"),
)


def _filled_in(_dialect: str, stored: Columns, given: Columns) -> tuple[dict[str, Expression], Expression]:
    """Fill gaps, and only in a row without a decision: what its arrival says is better known."""
    names = [name for name in _FOUND_COLUMNS if name not in {"started_at", "created_at"}]
    values: dict[str, ColumnElement[Any]] = {name: func.coalesce(stored[name], given[name]) for name in names}
    earlier = given["started_at"] < stored["started_at"]
    values["started_at"] = case((earlier, given["started_at"]), else_=stored["started_at"])
    return values, stored["decision"].is_(None)


_FOUND = Upsert(_CALLS, CALL_KEY, _FOUND_COLUMNS, _filled_in)


def record_found(session: Session, calls: Sequence[FoundCall]) -> None:
    """Add calls that the log lacks, without a decision; an arrival that comes later completes them."""
    names = (*CALL_KEY, *_FOUND_COLUMNS)
    _FOUND.run(session.connection(), [tuple(getattr(call, name) for name in names) for call in calls])


def logged(session: Session, carrier: str, call_sids: Collection[str]) -> dict[str, LoggedCall]:
    """Those calls that the log has, by CallSid; up to a thousand at a time."""
    wanted = _rows().where(Call.carrier == carrier, Call.call_sid.in_(call_sids))
    return {row.call_sid: LoggedCall(*row) for row in session.execute(wanted)}


def lacking(
    session: Session, carrier: str, *, since: datetime, until: datetime, after: int, limit: int
) -> list[LoggedCall]:
    """Calls that began in [`since`, `until`) and lack something, by id, the first `limit` beyond `after`."""
    wanted = _rows().where(*_lacks(carrier, since), Call.started_at < until, Call.id > after)
    return [LoggedCall(*row) for row in session.execute(wanted.order_by(Call.id).limit(limit))]


def earliest_lacking(session: Session, carrier: str, since: datetime) -> datetime | None:
    """When the first call began that lacks something, of those at or after `since`."""
    return session.scalar(select(func.min(Call.started_at)).where(*_lacks(carrier, since)))


def holdings_of(session: Session, numbers: Iterable[PhoneNumber]) -> dict[PhoneNumber, list[Holding]]:
    """Every holding of these numbers, given back or not, the latest first."""
    wanted = (
        select(
            TrackingNumber.number,
            TrackingNumber.created_at,
            TrackingNumber.group_id,
            TrackingNumber.campaign_id,
            Campaign.external_id,
        )
        .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
        .where(TrackingNumber.number.in_(set(numbers)))
        .order_by(TrackingNumber.id.desc())
    )
    found: dict[PhoneNumber, list[Holding]] = {}
    for row in session.execute(wanted):
        found.setdefault(row.number, []).append(Holding(*row))
    return found


def _rows() -> Select[*tuple[Any, ...]]:
    return select(
        Call.id,
        Call.call_sid,
        Call.decision,
        Call.disposition_rank,
        Call.rang_at,
        Call.answered_at,
        Call.ended_at,
        Call.reconciled_at,
    )


def _lacks(carrier: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions for rows since `since`; the log has no index on instants alone, but ids rise with time."""
    earlier = Call.__table__.alias()
    logged_before = (
        select(earlier.c.id)
        .where(earlier.c.created_at < since)
        .order_by(earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        Call.id > func.coalesce(logged_before, 0),
        Call.carrier == carrier,
        Call.started_at >= since,
        Call.reconciled_at.is_(None),
        or_(Call.ended_at.is_(None), Call.decision.is_(None)),
    )

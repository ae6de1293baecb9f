"""What the call log adds up to in a span of time, in all and step by step.

Counts over the log itself. Conditions on groups and campaigns are the caller's, and stand in each query.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from models.call import Call
from routing.disposition import Disposition, Witness

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`, the end excluded; both aware."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls, and what became of them; the six sum up to `calls`."""

    calls: int = 0
    answered: int = 0
    """Connected, and the business picked up."""
    missed: int = 0
    """Connected, and it did not."""
    open: int = 0
    """Connected, and nothing is known of the end yet."""
    referral: int = 0
    rejected: int = 0
    apology: int = 0
    """With the calls of which the decision is not in the log yet."""

    def __add__(self, other: Self) -> "Tally":
        return Tally(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def totals(session: Session, span: Span, conditions: Conditions) -> Tally:
    return Tally(*session.execute(_within(select(*_COUNTED), span, conditions)).one())


def by_step(session: Session, span: Span, conditions: Conditions, step: int) -> dict[datetime, Tally]:
    """Tallies of the steps, so many seconds each from 1970 on, that have calls; keys are their beginnings."""
    number = cast(func.floor(_epoch(session) / step), Integer).label("step")
    wanted = _within(select(number, *_COUNTED), span, conditions).group_by(number)
    return {
        datetime.fromtimestamp(row[0] * step, UTC): Tally(*row[1:])
        for row in session.execute(wanted.order_by(number))
    }


def _within(wanted: Select[*tuple[Any, ...]], span: Span, conditions: Conditions) -> Select[*tuple[Any, ...]]:
    return wanted.where(Call.started_at >= span.begin, Call.started_at < span.end, *conditions)


def _epoch(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return func.extract("epoch", Call.started_at)
    return cast(func.strftime("%s", Call.started_at), Integer)


_IS_CONNECTED = Call.decision == "connect"
# A caller's own leg that completed says nothing about the business.
_WAS_ANSWERED = or_(
    Call.answered_at.is_not(None),
    Call.talk_seconds > 0,
    and_(
        Call.disposition == Disposition.COMPLETED.value,
        func.coalesce(Call.disposition_rank, 0) > Witness.CALL * 10 + 9,
    ),
)
_IS_OVER = or_(Call.disposition.is_not(None), Call.ended_at.is_not(None))
_outcome = case(
    (and_(_IS_CONNECTED, _WAS_ANSWERED), "answered"),
    (and_(_IS_CONNECTED, _IS_OVER), "missed"),
    (_IS_CONNECTED, "open"),
    (Call.decision == "referral", "referral"),
    (Call.decision == "reject", "rejected"),
    else_="apology",
)
_COUNTED = (
    func.count(),
    *(
        func.count(case((_outcome == outcome, 1)))
        for outcome in ("answered", "missed", "open", "referral", "rejected", "apology")
    ),
)

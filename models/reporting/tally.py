"""What is counted of calls: how many, and what became of them."""

from dataclasses import astuple, dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, and_, case, func, or_

from models.call import Call
from routing.disposition import Disposition, Witness


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


@dataclass(frozen=True, slots=True)
class Callers:
    """Calls by who rang; the three sum up to all calls.

    A call is a first one if the log has no earlier call of this caller to this group: so many callers
    are new. What a caller has rung of another group does not count.
    """

    first_time: int = 0
    repeat: int = 0
    withheld: int = 0
    """Nobody can tell whose they are."""

    @property
    def calls(self) -> int:
        return self.first_time + self.repeat + self.withheld

    def __add__(self, other: Self) -> "Callers":
        return Callers(*map(sum, zip(astuple(self), astuple(other), strict=True)))


OUTCOMES = ("answered", "missed", "open", "referral", "rejected", "apology")
"""As the members of `Tally` after the first."""

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
outcome: ColumnElement[Any] = case(
    (and_(_IS_CONNECTED, _WAS_ANSWERED), "answered"),
    (and_(_IS_CONNECTED, _IS_OVER), "missed"),
    (_IS_CONNECTED, "open"),
    (Call.decision == "referral", "referral"),
    (Call.decision == "reject", "rejected"),
    else_="apology",
)
"""Which of `OUTCOMES` a row of the log is."""

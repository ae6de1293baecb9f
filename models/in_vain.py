"""Numbers that are over and are dialled all the same."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.call import Call
from models.tally import Conditions, Span
from routing.decision import Reason
from routing.numbers import PhoneNumber

_IN_VAIN = (Reason.ENDED, Reason.RELEASED, Reason.UNASSIGNED, Reason.ARCHIVED)
"""Why a number reaches nobody any more."""


@dataclass(frozen=True, slots=True)
class Vain:
    """Calls of one number that reached nobody because it is over."""

    number: PhoneNumber | None
    campaign_id: int | None
    reason: str | None
    calls: int
    callers: int
    """How many different ones; those who withheld their number are not among them."""
    last_at: datetime


def numbers_in_vain(session: Session, span: Span, conditions: Conditions, limit: int) -> list[Vain]:
    """The numbers that are dialled most though they are over, by why they are."""
    wanted = (
        select(
            Call.tracking_number,
            Call.campaign_id,
            Call.reason,
            func.count(),
            func.count(Call.caller.distinct()),
            func.max(Call.started_at),
        )
        .where(
            Call.started_at >= span.begin,
            Call.started_at < span.end,
            Call.reason.in_([reason.value for reason in _IN_VAIN]),
            *conditions,
        )
        .group_by(Call.tracking_number, Call.campaign_id, Call.reason)
        .order_by(func.count().desc(), Call.tracking_number)
        .limit(limit)
    )
    return [Vain(*row) for row in session.execute(wanted)]

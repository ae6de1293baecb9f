"""Numbers that are over and are dialled all the same."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.call import Call
from models.campaign import Campaign
from models.reporting.period import Period
from models.reporting.scope import Scope, among
from routing.decision import Reason
from routing.numbers import PhoneNumber

IN_VAIN = (Reason.ENDED, Reason.RELEASED, Reason.UNASSIGNED, Reason.ARCHIVED)
"""Why a number reaches nobody any more."""


@dataclass(frozen=True, slots=True)
class Vain:
    """Calls of one number that reached nobody because it is over."""

    number: PhoneNumber | None
    campaign_id: int | None
    campaign_external_id: str | None
    """As it is now, like the name."""
    campaign_name: str | None
    reason: str | None
    calls: int
    callers: int
    """How many different ones; those who withheld their number are not among them."""
    last_at: datetime


def numbers_in_vain(session: Session, scope: Scope, period: Period, limit: int | None) -> list[Vain]:
    """The numbers that are dialled most though they are over, by why they are."""
    span = period.span
    wanted = (
        select(
            Call.tracking_number,
            Call.campaign_id,
            func.max(Campaign.external_id),
            func.max(Campaign.name),
            Call.reason,
            func.count(),
            func.count(Call.caller.distinct()),
            func.max(Call.started_at),
        )
        .outerjoin(Campaign, Campaign.id == Call.campaign_id)
        .where(
            Call.started_at >= span.begin,
            Call.started_at < span.end,
            Call.reason.in_([reason.value for reason in IN_VAIN]),
            *among(session, Call.group_id, scope.group_ids),
        )
        .group_by(Call.tracking_number, Call.campaign_id, Call.reason)
        .order_by(func.count().desc(), Call.tracking_number)
        .limit(limit)
    )
    if scope.campaign_id is not None:
        wanted = wanted.where(Call.campaign_id == scope.campaign_id)
    if scope.number is not None:
        wanted = wanted.where(Call.tracking_number == scope.number)
    return [Vain(*row) for row in session.execute(wanted)]

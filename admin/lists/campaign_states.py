"""The states of campaigns as conditions of a query; `routing.policy.state_of` says the same of facts."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true

from models.campaign import Campaign
from models.group import Group, heirs
from models.plan import Plan
from routing.policy import REFERRAL_WINDOW, State
from routing.route import EndOfCampaign


def holds_in(states: AbstractSet[State], now: datetime) -> ColumnElement[bool]:
    """Whether a campaign is in one of the states at `now`."""
    kept = Campaign.archived_at.is_(None)
    if states == set(State):
        return true()
    if states == set(State) - {State.ARCHIVED}:
        return kept
    on = and_(kept, Campaign.enabled)
    begun = and_(on, Campaign.starts_at <= now)
    over = and_(begun, Campaign.ends_at <= now)
    conditions = {
        State.ARCHIVED: Campaign.archived_at.is_not(None),
        State.PAUSED: and_(kept, not_(Campaign.enabled)),
        State.SCHEDULED: and_(on, Campaign.starts_at > now),
        State.LIVE: and_(begun, or_(Campaign.ends_at.is_(None), Campaign.ends_at > now)),
    }
    ended = states & {State.REFERRAL, State.ENDED}
    if len(ended) == 1:
        refers = _refers(now)
        conditions |= {State.REFERRAL: and_(over, refers), State.ENDED: and_(over, not_(refers))}
    elif ended:
        conditions |= {State.REFERRAL: over, State.ENDED: over}
    return or_(false(), *(conditions[state] for state in sorted(states)))


def _refers(now: datetime) -> ColumnElement[bool]:
    including = select(Group.id).join(Plan, Plan.id == Group.plan_id).where(Plan.includes_referral)
    return and_(
        Campaign.end_of_campaign == EndOfCampaign.REFERRAL,
        Campaign.ends_at > now - REFERRAL_WINDOW,
        Campaign.group_id.in_(heirs(including)),
    )

"""What an operator needs at nine in the morning: calls, what starts and ends, what is dialled in vain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.lists import calls as call_list
from admin.lists import campaigns as campaign_list
from admin.lists import webhook_endpoints as endpoint_list
from admin.lists.visible import visible
from admin.periods import Period, last_days, today
from admin.views import CallView, CampaignView, Page
from admin.webhook_views import EndpointView
from models.call import Call
from models.campaign import Campaign
from models.in_vain import Vain, numbers_in_vain
from models.tally import Conditions, Tally, by_step, totals

SOON = timedelta(days=7)
VAIN_DAYS = 7
_LONGEST_CALL = timedelta(hours=4)
"""No connection lasts longer (`talk_limit`): what began before is over, whatever the log says."""
_SHOWN = 10
_HOURS = 24


@dataclass(frozen=True, slots=True)
class CallsToday:
    """The day so far, and yesterday until the same time."""

    day: date
    under_way: Sequence[CallView]
    tally: Tally
    yesterday: Tally
    hours: list[Tally]


@dataclass(frozen=True, slots=True)
class Coming:
    """Campaigns that start or end within `SOON`, the next ones first, and how many there are."""

    starting: Sequence[CampaignView]
    ending: Sequence[CampaignView]
    starting_count: int
    ending_count: int


@dataclass(frozen=True, slots=True)
class InVain:
    """Numbers that are over and were dialled all the same."""

    period: Period
    numbers: list[Vain]
    campaigns: dict[int, str]


def calls_today(session: Session, actor: Actor, now: datetime, zone: ZoneInfo) -> CallsToday:
    period = today(now, zone)
    seen = visible(session, actor).among(Call.group_id)
    under_way = session.scalars(
        select(Call.id)
        .where(
            Call.started_at > now - _LONGEST_CALL,
            Call.started_at <= now,
            Call.decision == "connect",
            Call.disposition.is_(None),
            Call.ended_at.is_(None),
            *seen,
        )
        .order_by(Call.started_at.desc())
        .limit(_SHOWN)
    ).all()
    return CallsToday(
        period.first,
        call_list.views(session, under_way),
        totals(session, period.span, seen),
        totals(session, period.before.span, seen),
        _by_hour(session, period, seen),
    )


def coming(session: Session, actor: Actor, now: datetime) -> Coming:
    soon = {"limit": _SHOWN, "count": True}
    starting = campaign_list.page(
        session,
        actor,
        soon | {"state": ["scheduled"], "starts_from": now, "starts_before": now + SOON, "sort": "starts_at"},
        now,
    )
    ending = campaign_list.page(
        session,
        actor,
        soon | {"state": ["live"], "ends_from": now, "ends_before": now + SOON, "sort": "ends_at"},
        now,
    )
    return Coming(starting.items, ending.items, starting.total or 0, ending.total or 0)


def in_vain(session: Session, actor: Actor, now: datetime, zone: ZoneInfo) -> InVain:
    period = last_days(VAIN_DAYS, now, zone)
    seen = visible(session, actor).among(Call.group_id)
    found = numbers_in_vain(session, period.span, seen, _SHOWN)
    ids = {vain.campaign_id for vain in found if vain.campaign_id is not None}
    names = session.execute(select(Campaign.id, Campaign.name).where(Campaign.id.in_(ids)))
    return InVain(period, found, {row.id: row.name for row in names})


def failing_webhooks(session: Session, actor: Actor, now: datetime) -> Page[EndpointView]:
    """Webhook endpoints that fail or are disabled; only admins see any."""
    if not actor.is_admin:
        return Page(items=[], total=0)
    wanted = {"failing": True, "limit": _SHOWN, "count": True}
    return endpoint_list.page(session, actor, wanted, now)


def _by_hour(session: Session, period: Period, conditions: Conditions) -> list[Tally]:
    """The 24 hours that the clocks show, over all days of the period."""
    found = [Tally()] * _HOURS
    for step, tally in by_step(session, period.span, conditions, period.step).items():
        found[step.astimezone(period.zone).hour] += tally
    return found

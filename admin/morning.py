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
from admin.views import CallView, CampaignView, Page
from admin.webhook_views import EndpointView
from models.call import Call
from models.reporting.period import Period, last_days, today
from models.reporting.reports import by_hour, totals
from models.reporting.scope import Scope
from models.reporting.tally import Tally
from models.reporting.vain import Vain, numbers_in_vain

SOON = timedelta(days=7)
VAIN_DAYS = 7
_LONGEST_CALL = timedelta(hours=4)
"""No connection lasts longer (`talk_limit`): what began before is over, whatever the log says."""
_SHOWN = 10


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


def calls_today(session: Session, actor: Actor, now: datetime, zone: ZoneInfo) -> CallsToday:
    period = today(now, zone)
    seen = visible(session, actor)
    scope = Scope(seen.scope)
    under_way = session.scalars(
        select(Call.id)
        .where(
            Call.started_at > now - _LONGEST_CALL,
            Call.started_at <= now,
            Call.decision == "connect",
            Call.disposition.is_(None),
            Call.ended_at.is_(None),
            *seen.among(Call.group_id),
        )
        .order_by(Call.started_at.desc())
        .limit(_SHOWN)
    ).all()
    return CallsToday(
        period.first,
        call_list.views(session, actor, under_way),
        totals(session, scope, period).tally,
        totals(session, scope, period.before).tally,
        by_hour(session, scope, period),
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
    scope = Scope(visible(session, actor).scope)
    return InVain(period, numbers_in_vain(session, scope, period, _SHOWN))


def failing_webhooks(session: Session, actor: Actor, now: datetime) -> Page[EndpointView]:
    """Webhook endpoints that fail or are disabled; only admins see any."""
    if not actor.is_admin:
        return Page(items=[], total=0)
    wanted = {"failing": True, "limit": _SHOWN, "count": True}
    return endpoint_list.page(session, actor, wanted, now)

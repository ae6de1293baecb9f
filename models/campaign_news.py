"""What is told of campaigns and numbers: by the edit that starts, ends or releases, and by the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, event, inspect, or_, select
from sqlalchemy.orm import Session, UOWTransaction, sessionmaker

from models.campaign import Campaign
from models.news import News, tell
from models.propagation import instant_of
from models.tracking_number import NumberStatus, TrackingNumber
from models.webhook_endpoint import WebhookEvent, anybody_listens

TOLD_OF_CAMPAIGN = (
    *("campaign_id", "campaign_external_id", "campaign_name", "group_id", "owner_id", "enabled"),
    *("starts_at", "ends_at", "archived_at", "end_of_campaign", "business_name", "business_number"),
    "destination",
)
TOLD_OF_NUMBER = (
    *("id", "tracking_number", "name", "campaign_id", "campaign_external_id", "campaign_name"),
    *("group_id", "released_at"),
)
_SPAN = ("starts_at", "ends_at", "archived_at")


@dataclass(frozen=True, slots=True)
class _Span:
    """When a campaign runs."""

    starts_at: datetime | None
    ends_at: datetime | None
    archived_at: datetime | None

    def holds(self, at: datetime) -> bool:
        if self.archived_at is not None or self.starts_at is None or self.starts_at > at:
            return False
        return self.ends_at is None or at < self.ends_at


def install(sessions: sessionmaker[Session]) -> None:
    """Make all sessions of this factory tell of it, after `propagation`."""
    event.listen(sessions, "after_flush", _tell)


def tell_by_the_clock(session: Session, since: datetime, now: datetime) -> int:
    """Tell of campaigns whose start or end lies in (`since`, `now`]; return how many events were new.

    What was told of the same start or end before is not told again, by whomever it was.
    """
    wanted = select(Campaign).where(
        Campaign.archived_at.is_(None),
        or_(
            and_(Campaign.starts_at > since, Campaign.starts_at <= now),
            and_(Campaign.ends_at > since, Campaign.ends_at <= now),
        ),
    )
    news = []
    for campaign in session.scalars(wanted.order_by(Campaign.id)):
        if since < campaign.starts_at <= now:
            news.append(_of_campaign(campaign, WebhookEvent.CAMPAIGN_STARTED, campaign.starts_at))
        if campaign.ends_at is not None and since < campaign.ends_at <= now:
            news.append(_of_campaign(campaign, WebhookEvent.CAMPAIGN_ENDED, campaign.ends_at))
    return tell(session, news, now)


def _tell(session: Session, _context: UOWTransaction) -> None:
    """Compare what was flushed with what was there: the session still knows both."""
    now = instant_of(session)
    news = []
    for entity in (*session.new, *session.dirty):
        match entity:
            case Campaign():
                news += [_of_campaign(entity, *turn) for turn in _turns(entity, now)]
            case TrackingNumber() if _was_released(entity):
                news.append(_of_number(session, entity, now))
    if news and anybody_listens(session):
        tell(session, news, now)


def _turns(campaign: Campaign, now: datetime) -> Iterator[tuple[WebhookEvent, datetime]]:
    """Whether this edit starts or ends the campaign, and at which instant.

    That is the campaign's own start or end where the edit has set it, for the clock may see it too.
    """
    before, after = _span_before(campaign), _Span(*(getattr(campaign, name) for name in _SPAN))
    was_running = before is not None and before.holds(now)
    if after.holds(now) and not was_running:
        is_set = before is None or before.starts_at != after.starts_at
        yield WebhookEvent.CAMPAIGN_STARTED, after.starts_at if is_set and after.starts_at else now
    if was_running and not after.holds(now):
        is_over = after.archived_at is None and after.ends_at is not None and after.ends_at <= now
        yield WebhookEvent.CAMPAIGN_ENDED, after.ends_at if is_over and after.ends_at else now


def _span_before(campaign: Campaign) -> _Span | None:
    """The span as it is stored; None: it is new."""
    state = inspect(campaign)
    if not state.persistent:
        return None
    return _Span(*(_stored(campaign, name) for name in _SPAN))


def _stored(campaign: Campaign, name: str) -> datetime | None:
    history = inspect(campaign).attrs[name].history
    before = history.deleted or (() if history.added else history.unchanged)
    return before[0] if before else None


def _was_released(number: TrackingNumber) -> bool:
    changed = inspect(number).attrs.status.history.has_changes()
    return changed and number.status is NumberStatus.RELEASED


def _of_campaign(campaign: Campaign, event_: WebhookEvent, at: datetime) -> News:
    values = {name: getattr(campaign, name, None) for name in TOLD_OF_CAMPAIGN} | {
        "campaign_id": campaign.id,
        "campaign_external_id": campaign.external_id,
        "campaign_name": campaign.name,
    }
    word = event_.value.rpartition(".")[2]
    return News(
        event=event_.value,
        subject=f"campaign {campaign.id}",
        step=f"{at.isoformat()} {word}",
        group_id=campaign.group_id,
        campaign_id=campaign.id,
        at=at,
        data=values,
    )


def _of_number(session: Session, number: TrackingNumber, now: datetime) -> News:
    campaign = _campaign_of(session, number)
    values: dict[str, Any] = {
        "id": number.id,
        "tracking_number": number.number,
        "name": number.name,
        "campaign_id": number.campaign_id,
        "campaign_external_id": None if campaign is None else campaign.external_id,
        "campaign_name": None if campaign is None else campaign.name,
        "group_id": number.group_id,
        "released_at": number.released_at,
    }
    return News(
        event=WebhookEvent.NUMBER_RELEASED.value,
        subject=f"number {number.id}",
        step="released",
        group_id=number.group_id,
        campaign_id=number.campaign_id,
        at=number.released_at or now,
        data=values,
    )


def _campaign_of(session: Session, number: TrackingNumber) -> Any:  # noqa: ANN401 - a row
    if number.campaign_id is None:
        return None
    wanted = select(Campaign.external_id, Campaign.name).where(Campaign.id == number.campaign_id)
    return session.connection().execute(wanted).first()

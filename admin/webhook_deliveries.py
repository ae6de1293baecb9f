"""Deliveries: sent again, one or all of a span, and the test button."""

import secrets
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Instant, Reading
from admin.errors import NotThere
from admin.webhook_endpoints import Event, leave_in_peace_no_longer, managed_endpoint, seen_endpoint
from admin.webhook_views import Replayed
from models.news import News, body_of, message_id
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import TEST_EVENT

MOST_AT_ONCE = 10_000
_DELIVERIES: Any = WebhookDelivery.__table__
Status = Annotated[DeliveryStatus, Field(strict=False)]


class Replay(Draft):
    """Which deliveries are sent again: those of the span, with any of the statuses and events."""

    status: Annotated[list[Status], Field(default_factory=lambda: [DeliveryStatus.FAILED])]
    event: Annotated[list[Event], Field(default_factory=list, description="none: all")]
    created_from: Instant | None = None
    created_before: Instant | None = None


def replay(session: Session, actor: Actor, endpoint_id: int, raw: object, now: datetime) -> Replayed:
    """Send again what a `Replay` asks for, the oldest first, at most ten thousand in one go.

    Raises `NotThere`, `NotAllowed`, `Invalid`.
    """
    endpoint = managed_endpoint(session, actor, endpoint_id)
    reading = Reading()
    draft = reading.read(Replay, raw)
    reading.finish()
    wanted = [
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.event != TEST_EVENT,
        WebhookDelivery.status.in_(draft.status),
    ]
    if draft.event:
        wanted.append(WebhookDelivery.event.in_([event.value for event in draft.event]))
    if draft.created_from is not None:
        wanted.append(WebhookDelivery.created_at >= draft.created_from)
    if draft.created_before is not None:
        wanted.append(WebhookDelivery.created_at < draft.created_before)
    found = select(WebhookDelivery.id).where(*wanted).order_by(WebhookDelivery.id).limit(MOST_AT_ONCE + 1)
    # Locked in their order, as the courier writes them: the two then never wait for each other crosswise.
    ids = session.scalars(found.with_for_update(key_share=True)).all()
    _begin_anew(session, ids[:MOST_AT_ONCE], now)
    leave_in_peace_no_longer(session, endpoint.id, now)
    return Replayed(queued=min(len(ids), MOST_AT_ONCE), more=len(ids) > MOST_AT_ONCE)


def replay_one(session: Session, actor: Actor, endpoint_id: int, delivery_id: int, now: datetime) -> None:
    """Send one delivery again, under the same id; raise `NotThere`, `NotAllowed`."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    delivery = of_endpoint(session, endpoint.id, delivery_id)
    _begin_anew(session, [delivery.id], now)
    leave_in_peace_no_longer(session, endpoint.id, now)


def test(session: Session, actor: Actor, endpoint_id: int, now: datetime) -> int:
    """Send a signed event that says nothing, also to one that is paused; return the delivery's id."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    step = secrets.token_hex(8)
    subject = f"test of {endpoint.id}"
    data = {"endpoint_id": endpoint.id, "message": "If you can read and verify this, all is well."}
    news = News(TEST_EVENT, subject, step, endpoint.group_id, None, now, data)
    delivery = WebhookDelivery(
        endpoint_id=endpoint.id,
        subject=subject,
        step=step,
        message_id=message_id(subject, step),
        event=TEST_EVENT,
        body=body_of(news, endpoint.fields),
        due_at=now,
        occurred_at=now,
        created_at=now,
    )
    session.add(delivery)
    session.flush()
    leave_in_peace_no_longer(session, endpoint.id, now)
    return delivery.id


def seen_delivery(session: Session, actor: Actor, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Raise `NotThere`, `NotAllowed`."""
    endpoint = seen_endpoint(session, actor, endpoint_id)
    return of_endpoint(session, endpoint.id, delivery_id)


def of_endpoint(session: Session, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
    """Raise `NotThere`."""
    delivery = session.get(WebhookDelivery, delivery_id)
    if delivery is None or delivery.endpoint_id != endpoint_id:
        raise NotThere("there is no such delivery")
    return delivery


def _begin_anew(session: Session, ids: Any, now: datetime) -> None:  # noqa: ANN401 - any sequence of ids
    begun = {"status": DeliveryStatus.PENDING, "attempts": 0, "due_at": now, "settled_at": None}
    session.connection().execute(update(_DELIVERIES).where(_DELIVERIES.c.id.in_(ids)).values(**begun))

"""The list of what one endpoint was told, or is to be told."""

import json
from collections.abc import Sequence
from datetime import datetime
from operator import ge, lt
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from admin.access.actor import Actor
from admin.drafts import Instant, Reading
from admin.lists.listing import Filters, Key, Listing, compared, in_order, read_page
from admin.views import Page
from admin.webhook_deliveries import Status, seen_delivery
from admin.webhook_endpoints import seen_endpoint
from admin.webhook_views import AttemptView, DeliveryDetail, DeliveryView
from models.webhook_delivery import DeliveryStatus, WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import WebhookEvent

_SHOWN = 100
Told = Literal["webhook.test"] | Annotated[WebhookEvent, Field(strict=False)]


class DeliveryFilters(Filters):
    status: Annotated[list[Status], Field(default_factory=list)]
    event: Annotated[list[Told], Field(default_factory=list)]
    created_from: Instant | None = None
    created_before: Instant | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


def page(
    session: Session,
    actor: Actor,
    endpoint_id: int,
    raw: object,
    now: datetime,  # noqa: ARG001 - as all lists
) -> Page[DeliveryView]:
    """The deliveries that `raw` (a `DeliveryFilters`) asks for; raise `Invalid`, `NotThere`, `NotAllowed`."""
    endpoint = seen_endpoint(session, actor, endpoint_id)
    reading = Reading()
    filters = reading.read(DeliveryFilters, raw)
    reading.finish()
    conditions = [
        WebhookDelivery.endpoint_id == endpoint.id,
        *compared(
            (WebhookDelivery.created_at, ge, filters.created_from),
            (WebhookDelivery.created_at, lt, filters.created_before),
        ),
    ]
    if filters.status:
        conditions.append(WebhookDelivery.status.in_(filters.status))
    if filters.event:
        conditions.append(WebhookDelivery.event.in_([str(event) for event in filters.event]))
    listing = Listing(
        WebhookDelivery.id, {"created_at": Key(WebhookDelivery.created_at, datetime)}, conditions
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def one(
    session: Session,
    actor: Actor,
    endpoint_id: int,
    delivery_id: int,
    now: datetime,  # noqa: ARG001 - as all lists
) -> DeliveryDetail:
    """Raise `NotThere`, `NotAllowed`."""
    delivery = seen_delivery(session, actor, endpoint_id, delivery_id)
    session.refresh(delivery)
    tried = session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery.id)
        .order_by(WebhookAttempt.id.desc())
        .limit(_SHOWN)
    )
    [shown] = views(session, [delivery.id])
    return DeliveryDetail(
        **dict(shown),
        payload=json.loads(delivery.body),
        tried=[
            AttemptView(**{name: getattr(attempt, name) for name in AttemptView.model_fields})
            for attempt in tried
        ],
    )


def views(session: Session, ids: Sequence[int]) -> list[DeliveryView]:
    """What is shown of deliveries, in the order of `ids`; one query, however many they are."""
    tried = aliased(WebhookAttempt)
    last = select(func.max(tried.id)).where(tried.delivery_id == WebhookDelivery.id).scalar_subquery()
    rows = session.execute(
        select(WebhookDelivery, WebhookAttempt.status, WebhookAttempt.problem)
        .outerjoin(WebhookAttempt, WebhookAttempt.id == last)
        .where(WebhookDelivery.id.in_(ids))
    )
    return in_order(ids, {row[0].id: _view(*row) for row in rows})


def _view(delivery: WebhookDelivery, status: int | None, problem: str | None) -> DeliveryView:
    is_pending = delivery.status is DeliveryStatus.PENDING
    return DeliveryView(
        id=delivery.id,
        message_id=delivery.message_id,
        event=delivery.event,
        campaign_id=delivery.campaign_id,
        status=delivery.status,
        attempts=delivery.attempts,
        next_attempt_at=delivery.due_at if is_pending else None,
        occurred_at=delivery.occurred_at,
        created_at=delivery.created_at,
        settled_at=delivery.settled_at,
        last_status=status,
        last_problem=problem,
    )

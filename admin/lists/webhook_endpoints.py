"""The list of webhook endpoints."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Reading
from admin.lists.listing import Filters, Key, Listing, in_order, read_page
from admin.lists.visible import visible
from admin.views import Page
from admin.webhook_endpoints import require_seeing, seen_endpoint
from admin.webhook_views import EndpointView
from models.group import Group
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookLane


class EndpointFilters(Filters):
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    failing: Annotated[bool, Field(description="only those that fail or are disabled")] = False
    sort: Literal["created_at", "-created_at"] = "-created_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[EndpointView]:
    """The endpoints that `raw` (an `EndpointFilters`) asks for; raise `Invalid`, `NotAllowed`."""
    require_seeing(actor)
    reading = Reading()
    filters = reading.read(EndpointFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    conditions = [WebhookEndpoint.archived_at.is_(None), *seen.among(WebhookEndpoint.group_id)]
    if filters.failing:
        failing = select(WebhookLane.endpoint_id).where(WebhookLane.failing_since.is_not(None))
        conditions.append(or_(WebhookEndpoint.disabled_at.is_not(None), WebhookEndpoint.id.in_(failing)))
    listing = Listing(
        WebhookEndpoint.id, {"created_at": Key(WebhookEndpoint.created_at, datetime)}, conditions
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids, now))


def one(session: Session, actor: Actor, endpoint_id: int, now: datetime) -> EndpointView:
    """Raise `NotThere`, `NotAllowed`."""
    seen_endpoint(session, actor, endpoint_id)
    return views(session, [endpoint_id], now)[0]


def views(session: Session, ids: Sequence[int], now: datetime) -> list[EndpointView]:
    """What is shown of endpoints, in the order of `ids`; one query, however many they are."""
    waiting = (
        select(func.count())
        .where(
            WebhookDelivery.endpoint_id == WebhookEndpoint.id,
            WebhookDelivery.status == DeliveryStatus.PENDING,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(WebhookEndpoint, WebhookLane, Group.name, waiting)
        .join(WebhookLane, WebhookLane.endpoint_id == WebhookEndpoint.id)
        .join(Group, Group.id == WebhookEndpoint.group_id)
        .where(WebhookEndpoint.id.in_(ids))
        .execution_options(populate_existing=True)
    )
    return in_order(ids, {row[0].id: _view(*row, now=now) for row in rows})


def _view(
    endpoint: WebhookEndpoint, lane: WebhookLane, group_name: str, waiting: int, *, now: datetime
) -> EndpointView:
    both_sign = endpoint.previous_until is not None and endpoint.previous_until > now
    is_blocked = lane.blocked_until is not None and lane.blocked_until > now
    return EndpointView(
        id=endpoint.id,
        group_id=endpoint.group_id,
        group_name=group_name,
        name=endpoint.name,
        address=endpoint.address,
        events=endpoint.events,
        campaign_ids=endpoint.campaign_ids,
        fields=endpoint.fields,
        paused=endpoint.paused,
        disabled_at=endpoint.disabled_at,
        disabled_because=endpoint.disabled_because,
        failing_since=lane.failing_since,
        failures=lane.failures,
        blocked_until=lane.blocked_until if is_blocked else None,
        last_success_at=lane.last_success_at,
        waiting=waiting,
        previous_secret_until=endpoint.previous_until if both_sign else None,
        revision=endpoint.revision,
        created_at=endpoint.created_at,
    )

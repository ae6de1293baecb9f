"""Webhook endpoints: created, revised, paused, opened again, given a new secret, removed.

A matter of admins: whoever sets one up has every call of the group sent to wherever he likes.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.changing import changing, check_revision
from admin.drafts import Draft, Id, Line, Reading, line
from admin.errors import NotAllowed, NotThere
from admin.references import named_group
from models.campaign import Campaign
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookEvent, WebhookLane, open_lane

RefusalOf = Callable[[str], str | None]
"""Why nothing may be sent to an address; None: it may."""

_MOST_OF_A_GROUP = 50
_MOST_FIELDS = 20
_KEY_BYTES = 32
LONGEST_OVERLAP = 168
_REMOVED = "the endpoint was removed"

Event = Annotated[WebhookEvent, Field(strict=False)]
Value = Annotated[str, Field(max_length=500), BeforeValidator(line)]
FieldName = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(line)]


class EndpointFields(Draft):
    """What an endpoint can be given."""

    name: Line = ""
    group_id: Annotated[Id | None, Field(description="your own, unless named; it hears of all below")] = None
    address: Annotated[str | None, Field(min_length=1, max_length=2000, description="https, and public")] = (
        None
    )
    events: Annotated[list[Event] | None, Field(min_length=1, max_length=20)] = None
    campaign_ids: Annotated[
        list[Id] | None, Field(min_length=1, max_length=200, description="null: whatever the campaign")
    ] = None
    fields: Annotated[
        dict[FieldName, Value],
        Field(default_factory=dict, max_length=_MOST_FIELDS, description="come along with every payload"),
    ]


class NewEndpoint(EndpointFields):
    """An endpoint to be created; address and events are mandatory."""

    address: Annotated[str, Field(min_length=1, max_length=2000, description="https, and public")]
    events: Annotated[list[Event], Field(min_length=1, max_length=20)]


class EndpointChanges(EndpointFields):
    """What is sent is changed; the group stays."""

    revision: Annotated[int | None, Field(ge=1)] = None


class Rotation(Draft):
    """For how many hours the secret so far signs beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = 24


def create(
    session: Session,
    actor: Actor,
    raw: object,
    now: datetime,  # noqa: ARG001 - as all use cases
    refusal_of: RefusalOf,
) -> WebhookEndpoint:
    """Create an endpoint from a `NewEndpoint`; raise `Invalid`, `NotAllowed`. Its secret is in the row."""
    actor.require_administration()
    reading = Reading()
    draft = reading.read(NewEndpoint, raw)
    group = named_group(session, actor, draft.sent.get("group_id"), reading)
    values = _checked(session, actor, draft, reading, refusal_of)
    if group is not None and _endpoints_of(session, group.id) >= _MOST_OF_A_GROUP:
        reading.add("group_id", f"has {_MOST_OF_A_GROUP} endpoints already; remove some")
    reading.finish()
    values |= {"group_id": None if group is None else group.id, "secret": new_secret()}
    return open_lane(session, WebhookEndpoint(**{"name": "", "fields": {}} | values))


def revise(
    session: Session, actor: Actor, endpoint_id: int, raw: object, now: datetime, *, refusal_of: RefusalOf
) -> WebhookEndpoint:
    """Change what an `EndpointChanges` names; raise `NotThere`, `NotAllowed`, `Stale`, `Invalid`."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    reading = Reading()
    draft = reading.read(EndpointChanges, raw)
    check_revision(endpoint, draft.sent.get("revision"))
    if draft.sent.get("group_id", endpoint.group_id) != endpoint.group_id:
        reading.add("group_id", "cannot be changed; create another endpoint")
    values = _checked(session, actor, draft, reading, refusal_of)
    for name in ("address", "events"):
        if values.get(name, "") is None:
            reading.add(name, "is mandatory")
    reading.finish()
    if values.get("address", endpoint.address) != endpoint.address:
        leave_in_peace_no_longer(session, endpoint.id, now)
    with changing(session, endpoint):
        for name, value in values.items():
            if getattr(endpoint, name) != value:
                setattr(endpoint, name, value)
    return endpoint


def pause(session: Session, actor: Actor, endpoint_id: int) -> WebhookEndpoint:
    """Send nothing until it is opened again; what happens waits. Raise `NotThere`, `NotAllowed`."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    with changing(session, endpoint):
        endpoint.paused = True
    return endpoint


def resume(session: Session, actor: Actor, endpoint_id: int, now: datetime) -> WebhookEndpoint:
    """Send again, what has waited first, also where the receiver had said that it is gone."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    with changing(session, endpoint):
        endpoint.paused = False
        endpoint.disabled_at = endpoint.disabled_because = None
    leave_in_peace_no_longer(session, endpoint.id, now)
    return endpoint


def rotate(session: Session, actor: Actor, endpoint_id: int, raw: object, now: datetime) -> WebhookEndpoint:
    """Give it a new secret (`raw`: `Rotation`); the one so far signs too, for a time."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    reading = Reading()
    draft = reading.read(Rotation, raw)
    reading.finish()
    with changing(session, endpoint):
        overlaps = draft.overlap_hours > 0
        endpoint.previous_secret = endpoint.secret if overlaps else None
        endpoint.previous_until = now + timedelta(hours=draft.overlap_hours) if overlaps else None
        endpoint.secret = new_secret()
    return endpoint


def remove(session: Session, actor: Actor, endpoint_id: int, now: datetime) -> WebhookEndpoint:
    """Tell it nothing more; what waits for it is given up."""
    endpoint = managed_endpoint(session, actor, endpoint_id)
    with changing(session, endpoint):
        endpoint.archived_at = now
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.status == DeliveryStatus.PENDING
    )
    session.execute(
        waiting.values(status=DeliveryStatus.FAILED, settled_at=now),
        execution_options={"synchronize_session": False},
    )
    return endpoint


def seen_endpoint(session: Session, actor: Actor, endpoint_id: int) -> WebhookEndpoint:
    """Raise `NotThere`, `NotAllowed`."""
    endpoint = session.get(WebhookEndpoint, endpoint_id)
    if (
        endpoint is None
        or endpoint.archived_at is not None
        or not sees_group(session, actor, endpoint.group_id)
    ):
        raise NotThere("there is no such webhook endpoint")
    require_seeing(actor)
    return endpoint


def managed_endpoint(session: Session, actor: Actor, endpoint_id: int) -> WebhookEndpoint:
    """Raise `NotThere`, `NotAllowed`."""
    endpoint = seen_endpoint(session, actor, endpoint_id)
    actor.require_administration()
    return endpoint


def require_seeing(actor: Actor) -> None:
    """Addresses may hold keys, and payloads hold callers."""
    if not actor.is_admin:
        raise NotAllowed("only an admin may see webhook endpoints")


def leave_in_peace_no_longer(session: Session, endpoint_id: int, now: datetime) -> None:
    """Try it at once, however long it was to be left alone."""
    lanes: Any = WebhookLane.__table__
    session.connection().execute(
        update(lanes)
        .where(lanes.c.endpoint_id == endpoint_id, lanes.c.blocked_until > now)
        .values(blocked_until=now)
    )


def new_secret() -> str:
    """As Standard Webhooks spells it: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _endpoints_of(session: Session, group_id: int) -> int:
    counted = select(func.count()).select_from(WebhookEndpoint)
    of_it = counted.where(WebhookEndpoint.group_id == group_id, WebhookEndpoint.archived_at.is_(None))
    return session.scalar(of_it) or 0


def _checked(
    session: Session, actor: Actor, draft: EndpointFields, reading: Reading, refusal_of: RefusalOf
) -> dict[str, Any]:
    """What was sent, as the row holds it, with an error for everything that cannot be."""
    values = {name: value for name, value in draft.sent.items() if name not in {"group_id", "revision"}}
    if values.get("events") is not None:
        values["events"] = [event.value for event in WebhookEvent if event in values["events"]]
    if values.get("campaign_ids") is not None:
        values["campaign_ids"] = sorted(set(values["campaign_ids"]))
        _check_campaigns(session, actor, values["campaign_ids"], reading)
    if values.get("address") is not None and (reason := refusal_of(values["address"])) is not None:
        reading.add("address", reason)
    return values


def _check_campaigns(session: Session, actor: Actor, ids: list[int], reading: Reading) -> None:
    seen = select(Campaign.id).where(Campaign.id.in_(ids), Campaign.group_id.in_(actor.visible_groups()))
    unknown = sorted(set(ids) - set(session.scalars(seen)))
    if unknown:
        reading.add("campaign_ids", f"there is no campaign {', '.join(map(str, unknown))}")

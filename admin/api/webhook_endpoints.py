"""`/api/v1/webhook-endpoints`, and the deliveries below each."""

from typing import Any

from admin import webhook_deliveries, webhook_endpoints
from admin.api.operations import Asked, Resource
from admin.lists import webhook_deliveries as delivery_lists
from admin.lists import webhook_endpoints as lists
from admin.lists.webhook_deliveries import DeliveryFilters
from admin.lists.webhook_endpoints import EndpointFilters
from admin.views import Page
from admin.webhook_deliveries import Replay
from admin.webhook_endpoints import EndpointChanges, NewEndpoint, RefusalOf, Rotation
from admin.webhook_views import DeliveryDetail, DeliveryView, EndpointView, MadeEndpoint, Replayed

ENDPOINT: dict[str, Any] = {
    "id": 5,
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "name": "CRM",
    "address": "https://crm.example.com/hooks",
    "events": ["call.completed", "call.updated"],
    "campaign_ids": None,
    "fields": {"tenant": "north"},
    "paused": False,
    "disabled_at": None,
    "disabled_because": None,
    "failing_since": None,
    "failures": 0,
    "blocked_until": None,
    "last_success_at": "2026-07-02T11:30:00Z",
    "waiting": 0,
    "previous_secret_until": None,
    "revision": 1,
    "created_at": "2026-07-01T07:00:00Z",
}
SECRET = "whsec_4ySjAYnUsOrbHa43l0qtvTJ5bWZPXrbDQt9ITGJ0pkY="  # noqa: S105 - an example
DELIVERY: dict[str, Any] = {
    "id": 81,
    "message_id": "msg_1f0c6e9b0a5d4c3e8f7a2b1c0d9e8f7a",
    "event": "call.completed",
    "campaign_id": 7,
    "status": "pending",
    "attempts": 1,
    "next_attempt_at": "2026-07-02T11:30:05Z",
    "occurred_at": "2026-07-02T11:29:59Z",
    "created_at": "2026-07-02T11:30:00Z",
    "settled_at": None,
    "last_status": 503,
    "last_problem": "it answered 503",
}
DETAIL: dict[str, Any] = DELIVERY | {
    "payload": {"type": "call.completed", "timestamp": "2026-07-02T11:29:59Z", "version": 1, "data": {}},
    "tried": [
        {
            "at": "2026-07-02T11:30:00Z",
            "status": 503,
            "milliseconds": 41,
            "problem": "it answered 503",
            "answer": "be right back",
        }
    ],
}


def endpoints(refusal_of: RefusalOf) -> Resource:
    """The resource; `refusal_of` says why nothing may be sent to an address."""
    resource = Resource(
        "webhook-endpoints",
        "Webhook endpoints",
        "Addresses that are told what happens in a group and all groups below it, as it happens; what is "
        "sent stands under Webhooks. Signed after Standard Webhooks, delivered at least once. Only admins "
        "see and change them.",
    )
    _of_endpoints(resource, refusal_of)
    _of_acts(resource)
    _of_deliveries(resource)
    return resource


def _of_endpoints(resource: Resource, refusal_of: RefusalOf) -> None:
    @resource.get(
        "",
        query=EndpointFilters,
        answers=Page[EndpointView],
        example={"items": [ENDPOINT], "next_cursor": None, "total": None},
    )
    def list_webhook_endpoints(asked: Asked) -> Page[EndpointView]:
        """List webhook endpoints, without their secrets."""
        return lists.page(asked.session, asked.actor, asked.query, asked.now)

    @resource.get("/<id:endpoint_id>", answers=EndpointView, example=ENDPOINT)
    def show_webhook_endpoint(asked: Asked, endpoint_id: int) -> EndpointView:
        """Show a webhook endpoint, without its secret."""
        return lists.one(asked.session, asked.actor, endpoint_id, asked.now)

    @resource.create(
        "",
        body=NewEndpoint,
        sends={"address": "https://crm.example.com/hooks", "events": ["call.completed", "call.updated"]},
        answers=MadeEndpoint,
        shows_secret=True,
        example=ENDPOINT | {"last_success_at": None, "secret": SECRET},
    )
    def create_webhook_endpoint(asked: Asked) -> MadeEndpoint:
        """Create a webhook endpoint.

        Its secret is in this answer and nowhere else. The address must be https and public.
        """
        made = webhook_endpoints.create(asked.session, asked.actor, asked.raw, asked.now, refusal_of)
        return _with_secret(asked, made.id, made.secret)

    @resource.patch(
        "/<id:endpoint_id>",
        body=EndpointChanges,
        sends={"events": ["call.completed"], "revision": 1},
        answers=EndpointView,
        example=ENDPOINT | {"events": ["call.completed"], "revision": 2},
    )
    def revise_webhook_endpoint(asked: Asked, endpoint_id: int) -> EndpointView:
        """Change a webhook endpoint. What waits is sent as it was written, to the new address."""
        webhook_endpoints.revise(
            asked.session, asked.actor, endpoint_id, asked.raw, asked.now, refusal_of=refusal_of
        )
        return lists.one(asked.session, asked.actor, endpoint_id, asked.now)

    @resource.delete("/<id:endpoint_id>")
    def remove_webhook_endpoint(asked: Asked, endpoint_id: int) -> None:
        """Remove a webhook endpoint. What waits for it is given up."""
        webhook_endpoints.remove(asked.session, asked.actor, endpoint_id, asked.now)


def _of_acts(resource: Resource) -> None:
    @resource.post(
        "/<id:endpoint_id>/pause", answers=EndpointView, example=ENDPOINT | {"paused": True, "revision": 2}
    )
    def pause_webhook_endpoint(asked: Asked, endpoint_id: int) -> EndpointView:
        """Pause a webhook endpoint. What happens meanwhile waits for it, for up to 30 days."""
        webhook_endpoints.pause(asked.session, asked.actor, endpoint_id)
        return lists.one(asked.session, asked.actor, endpoint_id, asked.now)

    @resource.post("/<id:endpoint_id>/resume", answers=EndpointView, example=ENDPOINT | {"revision": 2})
    def resume_webhook_endpoint(asked: Asked, endpoint_id: int) -> EndpointView:
        """Send to a webhook endpoint again that was paused, or disabled because its receiver was gone."""
        webhook_endpoints.resume(asked.session, asked.actor, endpoint_id, asked.now)
        return lists.one(asked.session, asked.actor, endpoint_id, asked.now)

    @resource.post(
        "/<id:endpoint_id>/rotate",
        body=Rotation,
        sends={"overlap_hours": 24},
        answers=MadeEndpoint,
        shows_secret=True,
        example=ENDPOINT | {"previous_secret_until": "2026-07-03T11:30:00Z", "revision": 2, "secret": SECRET},
    )
    def rotate_webhook_secret(asked: Asked, endpoint_id: int) -> MadeEndpoint:
        """Give a webhook endpoint a new secret.

        It is in this answer and nowhere else. The one so far signs too, for `overlap_hours`.
        """
        changed = webhook_endpoints.rotate(asked.session, asked.actor, endpoint_id, asked.raw, asked.now)
        return _with_secret(asked, endpoint_id, changed.secret)

    @resource.post(
        "/<id:endpoint_id>/test",
        answers=DeliveryDetail,
        example=DETAIL
        | {
            "event": "webhook.test",
            "campaign_id": None,
            "attempts": 0,
            "tried": [],
            "last_status": None,
            "last_problem": None,
        },
    )
    def test_webhook_endpoint(asked: Asked, endpoint_id: int) -> DeliveryDetail:
        """Send a test event within a second, also to an endpoint that is paused; look at it again."""
        delivery_id = webhook_deliveries.test(asked.session, asked.actor, endpoint_id, asked.now)
        return delivery_lists.one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)


def _of_deliveries(resource: Resource) -> None:
    @resource.get(
        "/<id:endpoint_id>/deliveries",
        query=DeliveryFilters,
        answers=Page[DeliveryView],
        example={"items": [DELIVERY], "next_cursor": None, "total": None},
    )
    def list_webhook_deliveries(asked: Asked, endpoint_id: int) -> Page[DeliveryView]:
        """List the deliveries of a webhook endpoint, of the last 30 days."""
        return delivery_lists.page(asked.session, asked.actor, endpoint_id, asked.query, asked.now)

    @resource.get("/<id:endpoint_id>/deliveries/<id:delivery_id>", answers=DeliveryDetail, example=DETAIL)
    def show_webhook_delivery(asked: Asked, endpoint_id: int, delivery_id: int) -> DeliveryDetail:
        """Show a delivery with its payload and every attempt."""
        return delivery_lists.one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)

    @resource.post(
        "/<id:endpoint_id>/deliveries/<id:delivery_id>/replay",
        answers=DeliveryDetail,
        example=DETAIL | {"attempts": 0},
    )
    def replay_webhook_delivery(asked: Asked, endpoint_id: int, delivery_id: int) -> DeliveryDetail:
        """Send a delivery again, under the same `webhook-id`."""
        webhook_deliveries.replay_one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)
        return delivery_lists.one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)

    @resource.post(
        "/<id:endpoint_id>/replay",
        body=Replay,
        sends={"status": ["failed"], "created_from": "2026-07-01T00:00:00Z"},
        answers=Replayed,
        example={"queued": 31, "more": False},
    )
    def replay_webhook_deliveries(asked: Asked, endpoint_id: int) -> Replayed:
        """Send all deliveries of a span again, the oldest first, up to 10,000 at once."""
        return webhook_deliveries.replay(asked.session, asked.actor, endpoint_id, asked.raw, asked.now)


def _with_secret(asked: Asked, endpoint_id: int, secret: str) -> MadeEndpoint:
    shown = lists.one(asked.session, asked.actor, endpoint_id, asked.now)
    return MadeEndpoint(**shown.model_dump(), secret=secret)

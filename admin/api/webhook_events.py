"""The `webhooks` section of the OpenAPI document: what receivers are sent, with an example of each."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.api.statuses import Json, said
from admin.drafts import Instant, Phone
from admin.views import View
from models.webhook_endpoint import WebhookEvent


class CallTold(View):
    """A call as it stands in the log when the event is written; null: not known, or not yet."""

    id: int
    carrier: str
    call_sid: str
    tracking_number: Phone | None
    campaign_id: int | None
    campaign_external_id: str | None
    campaign_name: str | None
    group_id: int
    caller: Phone | None
    caller_city: str | None
    caller_state: str | None
    caller_country: str | None
    decision: Annotated[str | None, Field(description="connect, referral, reject or apology")]
    reason: str | None
    destination: Phone | None
    started_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None
    ring_seconds: int | None
    talk_seconds: int | None
    duration_seconds: int | None
    disposition: Annotated[str | None, Field(description="completed, busy, no-answer, failed or canceled")]
    recording_url: str | None
    recording_seconds: int | None


class CampaignTold(View):
    """A campaign as it is when it starts or ends."""

    campaign_id: int
    campaign_external_id: str | None
    campaign_name: str
    group_id: int
    owner_id: int
    enabled: bool
    starts_at: Instant
    ends_at: Instant | None
    archived_at: Instant | None
    end_of_campaign: str
    business_name: str
    business_number: Phone | None
    destination: Phone | None


class NumberTold(View):
    """A tracking number that was released."""

    id: int
    tracking_number: Phone
    name: str
    campaign_id: int | None
    campaign_external_id: str | None
    campaign_name: str | None
    group_id: int
    released_at: Instant


class _Payload(View):
    type: WebhookEvent
    timestamp: Annotated[Instant, Field(description="when it happened")]
    version: Annotated[int, Field(description="of the payload; fields are added within it, never changed")]
    fields: Annotated[dict[str, str], Field(description="the endpoint's own static fields")]


class CallPayload(_Payload):
    """What is sent about a call."""

    data: CallTold
    changes: Annotated[
        list[str] | None, Field(description="which of `data` have changed; with call.updated only")
    ] = None


class CampaignPayload(_Payload):
    """What is sent about a campaign."""

    data: CampaignTold


class NumberPayload(_Payload):
    """What is sent about a tracking number."""

    data: NumberTold


PAYLOADS: dict[WebhookEvent, tuple[type[BaseModel], str]] = {
    WebhookEvent.CALL_STARTED: (CallPayload, "A call has arrived and was decided on."),
    WebhookEvent.CALL_CONNECTED: (CallPayload, "The business has answered."),
    WebhookEvent.CALL_COMPLETED: (CallPayload, "A call has ended, whatever became of it."),
    WebhookEvent.CALL_RECORDED: (CallPayload, "The recording of a call is there."),
    WebhookEvent.CALL_UPDATED: (CallPayload, "More has become known of a call after its end."),
    WebhookEvent.CAMPAIGN_STARTED: (
        CampaignPayload,
        "A campaign has started: its start has come, or an edit lets it run.",
    ),
    WebhookEvent.CAMPAIGN_ENDED: (
        CampaignPayload,
        "A campaign is over: its end has come, or an edit or archiving has ended it.",
    ),
    WebhookEvent.NUMBER_RELEASED: (NumberPayload, "A tracking number was released."),
}

CALL: dict[str, Any] = {
    "id": 4711,
    "carrier": "twilio",
    "call_sid": "CA4f2d0c8a7b3e4d1f9a6c5b8e7d2f1a30",
    "tracking_number": "+15005550100",
    "campaign_id": 7,
    "campaign_external_id": "SL-2026",
    "campaign_name": "Summer leaflet",
    "group_id": 2,
    "caller": "+14155550142",
    "caller_city": "BERKELEY",
    "caller_state": "CA",
    "caller_country": "US",
    "decision": "connect",
    "reason": "live",
    "destination": "+14155550190",
    "started_at": "2026-07-02T11:28:40.250000Z",
    "answered_at": "2026-07-02T11:28:47Z",
    "ended_at": "2026-07-02T11:29:59Z",
    "ring_seconds": 6,
    "talk_seconds": 72,
    "duration_seconds": 79,
    "disposition": "completed",
    "recording_url": None,
    "recording_seconds": None,
}
CAMPAIGN: dict[str, Any] = {
    "campaign_id": 7,
    "campaign_external_id": "SL-2026",
    "campaign_name": "Summer leaflet",
    "group_id": 2,
    "owner_id": 4,
    "enabled": True,
    "starts_at": "2026-07-01T07:00:00Z",
    "ends_at": "2030-10-01T07:00:00Z",
    "archived_at": None,
    "end_of_campaign": "referral",
    "business_name": "Bay Bakery",
    "business_number": "+14155550190",
    "destination": "+14155550190",
}
NUMBER: dict[str, Any] = {
    "id": 11,
    "tracking_number": "+15005550100",
    "name": "Front page",
    "campaign_id": 7,
    "campaign_external_id": "SL-2026",
    "campaign_name": "Summer leaflet",
    "group_id": 2,
    "released_at": "2026-07-02T11:30:00Z",
}
_DATA: dict[type[BaseModel], dict[str, Any]] = {
    CallPayload: CALL,
    CampaignPayload: CAMPAIGN,
    NumberPayload: NUMBER,
}
_ABOUT = """A POST to each endpoint that asked for this event, for its group or a group above.

Verify it with any library of Standard Webhooks: the secret of the endpoint signs
`webhook-id.webhook-timestamp.body`. Answer with any 2xx within 15 seconds. Whatever else is answered
is tried again after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours, under the same
`webhook-id`: keep it, and take an event once. 410 disables the endpoint. `Retry-After` is heeded."""


def webhooks(schema_of: dict[type[BaseModel], Json]) -> Json:
    """The section; `schema_of` has a reference for each payload."""
    return {event.value: {"post": _operation(event, schema_of)} for event in WebhookEvent}


def example_of(event: WebhookEvent) -> dict[str, Any]:
    model, _ = PAYLOADS[event]
    shown: dict[str, Any] = {
        "type": event.value,
        "timestamp": "2026-07-02T11:29:59Z",
        "version": 1,
        "data": _DATA[model],
        "fields": {"tenant": "north"},
    }
    return shown | {"changes": ["talk_seconds"]} if event is WebhookEvent.CALL_UPDATED else shown


def _operation(event: WebhookEvent, schema_of: dict[type[BaseModel], Json]) -> Json:
    model, summary = PAYLOADS[event]
    content = {"schema": schema_of[model], "example": example_of(event)}
    headers = {
        "webhook-id": "The id of the event: the same at every attempt.",
        "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
        "webhook-signature": "`v1,` and an HMAC-SHA256 in base64; two of them, parted by a space, for a time "
        "after the secret was rotated.",
    }
    return {
        "operationId": event.value.replace(".", "_"),
        "tags": ["Webhook endpoints"],
        "summary": summary,
        "description": _ABOUT,
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, **said(words)} for name, words in headers.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Gone: send nothing more."},
            "default": {"description": "Not taken; it is tried again."},
        },
    }

"""`/api/v1/calls`."""

from typing import Annotated, Any

from pydantic import Field

from admin.api.operations import Asked, Resource
from admin.api.routes import ROUTE, RouteView, shown
from admin.call_story import reported, why
from admin.drafts import Instant
from admin.lists import calls as lists
from admin.lists.calls import CallFilters
from admin.views import CallDetail, CallView, Page, View
from models.call import Call

calls = Resource(
    "calls", "Calls", "The call log: one entry a call, with the decision, its facts, and how it went."
)

CALL: dict[str, Any] = {
    "id": 301,
    "carrier": "twilio",
    "call_sid": "CA0123456789abcdef0123456789abcdef",
    "tracking_number": "+15005550100",
    "campaign_id": 7,
    "campaign_name": "Summer leaflet",
    "campaign_external_id": "SL-2026",
    "group_id": 2,
    "caller": "+13035550142",
    "caller_city": "DENVER",
    "caller_state": "CO",
    "caller_country": "US",
    "decision": "connect",
    "reason": "live",
    "destination": "+14155550190",
    "started_at": "2026-07-02T16:00:00Z",
    "answered_at": "2026-07-02T16:00:09Z",
    "ended_at": "2026-07-02T16:02:30Z",
    "ring_seconds": 7,
    "talk_seconds": 141,
    "duration_seconds": 150,
    "disposition": "completed",
    "recording_url": None,
    "recording_seconds": None,
}


class EventView(View):
    """Something that the carrier reported of a call."""

    kind: Annotated[str, Field(description="such as `leg_answered` or `call_completed`")]
    occurred_at: Annotated[Instant | None, Field(description="when it happened, where the carrier said so")]
    received_at: Instant
    fields: Annotated[dict[str, Any], Field(description="what the carrier sent, by its own names")]


class CallStory(CallDetail):
    """A call with all that is known of it."""

    events: list[EventView]
    explanation: Annotated[
        RouteView | None, Field(description="why it was decided so; null where only its end was reported")
    ]


STORY: dict[str, Any] = CALL | {
    "dialled_text": None,
    "attestation": "TN-Validation-Passed-A",
    "forwarded_from": None,
    "source": "index",
    "consent_version": None,
    "facts": {"number": "1 7 12"},
    "events": [
        {
            "kind": "leg",
            "occurred_at": "2026-07-02T16:00:09Z",
            "received_at": "2026-07-02T16:00:09Z",
            "fields": {"CallStatus": "in-progress"},
        }
    ],
    "explanation": ROUTE,
}


@calls.get(
    "",
    query=CallFilters,
    answers=Page[CallView],
    example={"items": [CALL], "next_cursor": None, "total": None},
)
def list_calls(asked: Asked) -> Page[CallView]:
    """List calls, the latest first."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@calls.get("/<id:call_id>", answers=CallStory, example=STORY)
def show_call(asked: Asked, call_id: int) -> CallStory:
    """Show a call: what was reported of it, which facts it was decided on, and why it went where it went."""
    detail = lists.one(asked.session, asked.actor, call_id, asked.now)
    row = asked.session.get_one(Call, call_id)
    explanation = why(asked.session, asked.actor, row)
    return CallStory.model_construct(
        **dict(detail),
        events=[
            EventView(
                kind=each.event.kind,
                occurred_at=each.event.occurred_at,
                received_at=each.event.received_at,
                fields=dict(each.fields),
            )
            for each in reported(asked.session, asked.actor, row)
        ],
        explanation=None if explanation is None else shown(explanation),
    )

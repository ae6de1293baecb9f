"""What the API and the pages show of webhook endpoints, deliveries and attempts."""

from typing import Annotated, Any

from pydantic import Field

from admin.drafts import Instant
from admin.views import View
from models.webhook_delivery import DeliveryStatus
from models.webhook_endpoint import WebhookEvent


class EndpointView(View):
    """An endpoint, without its secret."""

    id: int
    group_id: int
    group_name: str
    name: str
    address: str
    events: list[WebhookEvent]
    campaign_ids: Annotated[list[int] | None, Field(description="null: whatever the campaign")]
    fields: dict[str, str]
    paused: bool
    disabled_at: Annotated[Instant | None, Field(description="when the receiver said that it is gone")]
    disabled_because: str | None
    failing_since: Annotated[Instant | None, Field(description="null: the last attempt was taken")]
    failures: Annotated[int, Field(description="attempts that failed since the last that did not")]
    blocked_until: Annotated[
        Instant | None, Field(description="nothing is sent before: it did not answer, or asked for patience")
    ]
    last_success_at: Instant | None
    waiting: Annotated[int, Field(description="deliveries that are still to be made")]
    previous_secret_until: Annotated[
        Instant | None, Field(description="until when the secret before the rotation signs too")
    ]
    revision: int
    created_at: Instant

    @property
    def condition(self) -> str:
        """In one word: disabled, paused, failing or open."""
        if self.disabled_at is not None:
            return "disabled"
        if self.paused:
            return "paused"
        return "open" if self.failing_since is None else "failing"


class MadeEndpoint(EndpointView):
    """An endpoint with a secret that was just made and is shown this once."""

    secret: str


class DeliveryView(View):
    """One event for one endpoint."""

    id: int
    message_id: Annotated[str, Field(description="the `webhook-id`, the same at every attempt")]
    event: str
    campaign_id: int | None
    status: DeliveryStatus
    attempts: Annotated[int, Field(description="since it was last begun")]
    next_attempt_at: Annotated[Instant | None, Field(description="null: it is settled")]
    occurred_at: Instant
    created_at: Instant
    settled_at: Instant | None
    last_status: Annotated[int | None, Field(description="of the last answer; null: there was none")]
    last_problem: Annotated[str | None, Field(description="why the last attempt failed")]


class AttemptView(View):
    """One attempt to deliver."""

    at: Instant
    status: int | None
    milliseconds: int
    problem: str | None
    answer: Annotated[str | None, Field(description="the first characters of the answer")]


class DeliveryDetail(DeliveryView):
    """A delivery with what is sent and every attempt, the latest first."""

    payload: dict[str, Any]
    tried: list[AttemptView]


class Replayed(View):
    """How many deliveries are sent again; `more`: others fit too, ask once more."""

    queued: int
    more: bool

"""The form of a webhook endpoint: what is typed, as the use case reads it, and back."""

from admin.drafts import whole
from admin.ui.forms import Form
from admin.webhook_views import EndpointView
from models.webhook_endpoint import WebhookEvent

SHOWN = ("name", "address", "events", "campaign_ids", "fields", "group_id")
MEANINGS = {
    WebhookEvent.CALL_STARTED: "a call has arrived",
    WebhookEvent.CALL_CONNECTED: "the business has answered",
    WebhookEvent.CALL_COMPLETED: "a call has ended",
    WebhookEvent.CALL_RECORDED: "its recording is there",
    WebhookEvent.CALL_UPDATED: "more is known of a call that has ended",
    WebhookEvent.CAMPAIGN_STARTED: "a campaign has started",
    WebhookEvent.CAMPAIGN_ENDED: "a campaign is over",
    WebhookEvent.NUMBER_RELEASED: "a tracking number was released",
}
"""What each event says, in a few words."""


def typed(endpoint: EndpointView) -> Form:
    """The form as it is first shown for an endpoint."""
    said = {event.value: "yes" for event in endpoint.events}
    return Form(
        said
        | {
            "name": endpoint.name,
            "address": endpoint.address,
            "campaign_ids": ", ".join(map(str, endpoint.campaign_ids or ())),
            "fields": "\n".join(f"{name} = {value}" for name, value in endpoint.fields.items()),
            "revision": str(endpoint.revision),
        }
    )


def read(form: Form) -> dict[str, object]:
    """What was typed; what cannot be read is noted in the form."""
    return {
        "name": form["name"],
        "address": form["address"].strip(),
        "events": [event.value for event in WebhookEvent if form[event.value]],
        "campaign_ids": _campaign_ids(form),
        "fields": _fields(form),
    }


def _campaign_ids(form: Form) -> list[int] | None:
    words = form["campaign_ids"].replace(",", " ").split()
    ids = [whole(word) for word in words]
    if None in ids:
        form.add("campaign_ids", "must be IDs of campaigns, parted by commas")
    return [each for each in ids if each is not None] or None


def _fields(form: Form) -> dict[str, str]:
    """A line for each, `name = value`."""
    found: dict[str, str] = {}
    for line in form["fields"].splitlines():
        name, sign, value = line.partition("=")
        if line.strip() and not (sign and name.strip()):
            form.add("fields", "has a line that is not written as name = value")
        elif line.strip():
            found[name.strip()] = value.strip()
    return found

"""What is asked of each route: made anew for each request, lying in the north of the tree."""

import io
import itertools
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyotp
from sqlalchemy.orm import Session

from admin.access import links, second_factor
from admin.access.credentials import digest_of
from models.api_token import ApiToken, Scope
from models.audit import Via
from models.call import Call as LoggedCall
from models.call_export import KEPT_FOR, CallExport, ExportStatus
from models.campaign import Campaign
from models.group import Group
from models.number_order import NumberOrder
from models.number_release import NumberRelease
from models.prompt import Prompt
from models.saved_filter import SavedFilter
from models.sign_in import LinkPurpose
from models.tracking_number import TrackingNumber
from models.user import Role, User
from models.webhook_delivery import WebhookDelivery
from tests.admin.people import PASSWORD, somebody
from tests.builders import (
    NOW,
    a_block,
    a_campaign,
    a_group,
    a_number,
    a_phone,
    a_plan,
    a_recorded_prompt,
    a_text_prompt,
    an_endpoint,
)


@dataclass(frozen=True)
class Call:
    """What is sent to one route: parts of the path by name, JSON or a form (bytes: a file), parameters."""

    path: Mapping[str, object] = field(default_factory=dict)
    sent: object = None
    form: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


def a_sound() -> bytes:
    """Half a second of silence, as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))
    return written.getvalue()


_serial = itertools.count(1)


class Things:
    """Makes what a request is about, new each time; it lies in the north."""

    def __init__(self, session: Session, north: int, kind: str, user: User | None) -> None:
        self.session = session
        self.north = north
        self._kind = kind
        self._user = user

    @property
    def me(self) -> User:
        """Who asks; for nobody, somebody else."""
        if self._user is None:
            return self.user()
        return self.session.get_one(User, self._user.id)

    def user(self, **said: Any) -> User:
        return somebody(self.session, **({"group_id": self.north, "role": Role.STANDARD} | said))

    def campaign(self, **said: Any) -> Campaign:
        """Owned by who asks, if he is the owner."""
        owner = self.me if self._kind == "owner" else self.user()
        return a_campaign(self.session, **({"group_id": self.north, "owner_id": owner.id} | said))

    def number(self) -> int:
        return a_number(self.session, a_phone(), self.campaign()).id

    def order(self) -> int:
        """An order of numbers that nobody has begun."""
        campaign = self.campaign()
        order = NumberOrder(
            fingerprint=str(next(_serial)),
            group_id=campaign.group_id,
            campaign_id=campaign.id,
            via=Via.PAGE,
            carrier="twilio",
            quantity=1,
            wanted={"country": "US"},
            label=str(next(_serial)),
        )
        self.session.add(order)
        self.session.flush()
        return order.id

    def spare_number(self) -> int:
        """A number that nobody dials, of a campaign that is switched off."""
        return a_number(self.session, a_phone(), self.campaign(enabled=False)).id

    def released_number(self) -> int:
        """One that rests until the carrier gets it."""
        held = a_number(self.session, a_phone(), self.campaign())
        now = datetime.now(UTC)
        held.release(now)
        self.session.add(
            NumberRelease(tracking_number_id=held.id, number=held.number, carrier="twilio", due_at=now)
        )
        self.session.flush()
        return held.id

    def group(self) -> Group:
        return a_group(self.session, parent_id=self.north)

    def text(self) -> int:
        return a_text_prompt(self.session, group_id=self.north).id

    def recording(self) -> int:
        return a_recorded_prompt(self.session, a_sound(), group_id=self.north).id

    def block(self) -> int:
        return a_block(self.session, f"+1415555{next(_serial):04d}", group_id=self.north).id

    def logged_call(self) -> int:
        now = datetime.now(UTC)
        call = LoggedCall(
            carrier="twilio",
            call_sid=f"CA{next(_serial):032x}",
            group_id=self.north,
            decision="connect",
            started_at=now,
            created_at=now,
        )
        self.session.add(call)
        self.session.flush()
        return call.id

    def endpoint(self) -> int:
        return an_endpoint(self.session, group_id=self.north).id

    def delivery(self) -> dict[str, object]:
        """The parts of the path to one."""
        endpoint_id, now = self.endpoint(), datetime.now(UTC)
        delivery = WebhookDelivery(
            endpoint_id=endpoint_id,
            subject="call 1",
            step="1 started",
            message_id="msg_1",
            event="call.started",
            body="{}",
            due_at=now,
            occurred_at=now,
            created_at=now,
        )
        self.session.add(delivery)
        self.session.flush()
        return {"endpoint_id": endpoint_id, "delivery_id": delivery.id}

    def token(self) -> int:
        now = datetime.now(UTC)
        token = ApiToken(
            user_id=self.user().id,
            name="theirs",
            token_hash=digest_of(str(next(_serial))),
            scope=Scope.READ,
            created_at=now,
        )
        self.session.add(token)
        self.session.flush()
        return token.id

    def export(self) -> int:
        """Of who asks, and done."""
        now = datetime.now(UTC)
        export = CallExport(
            user_id=self.me.id,
            form="csv",
            filters={},
            status=ExportStatus.DONE,
            created_at=now,
            expires_at=now + KEPT_FOR,
        )
        self.session.add(export)
        self.session.flush()
        return export.id

    def link(self) -> str:
        return links.make_link(self.session, self.me, LinkPurpose.RESET, datetime.now(UTC))

    def code(self) -> str:
        """Of an app that was just shown its secret."""
        secret, _ = second_factor.enrol(self.me)
        return pyotp.TOTP(secret).now()

    def saved_filter(self) -> str:
        """Of who asks, who has one a page."""
        now = datetime.now(UTC)
        if self.session.query(SavedFilter).filter_by(user_id=self.me.id).first() is None:
            self.session.add(
                SavedFilter(user_id=self.me.id, page="calls", query="", created_at=now, updated_at=now)
            )
        return "calls"


def _on(name: str, make: Callable[[Things], object], sent: object = None) -> "Recipe":
    """A request about one new thing, whose id stands in the path."""
    return lambda things: Call({name: make(things)}, sent)


def _sending(make: Callable[[Things], object]) -> "Recipe":
    return lambda things: Call(sent=make(things))


def _plain(_things: Things) -> Call:
    return Call()


def _signed(_things: Things) -> Call:
    return Call({"number_id": 1}, form={"CallSid": "CA1"})


def _audio(things: Things) -> Call:
    prompt = things.session.get_one(Prompt, things.recording())
    return Call({"prompt_id": prompt.id, "digest": prompt.digest, "extension": "wav"})


def _ordered(things: Things) -> Call:
    return Call(sent={"campaign_id": things.campaign().id, "country": "US"})


Recipe = Callable[[Things], Call]

A_PUBLIC_ADDRESS = "https://93.184.215.14/hooks"
"""An IP address, so that no name has to be looked up."""
_LATER = "2199-01-01T00:00:00Z"
_campaign, _number = (lambda things: things.campaign().id), Things.number
_group, _user = (lambda things: things.group().id), (lambda things: things.user().id)
_plan = lambda things: a_plan(things.session).id  # noqa: E731

RECIPES: dict[str, Recipe] = {
    "GET /healthz": _plain,
    "GET /readyz": _plain,
    "GET /prompts/{prompt_id}/{digest}.{extension}": _audio,
    **{
        f"POST /webhooks/twilio/{event}": _signed
        for event in ("voice", "dial", "status", "recording", "whisper/{number_id}", "fallback")
    },
    "GET /api/docs": _plain,
    "GET /api/docs/{name}": lambda _things: Call({"name": "start.js"}),
    "GET /api/v1/openapi.json": _plain,
    "POST /api/v1/session": _sending(lambda things: {"email": things.me.email, "password": PASSWORD}),
    "POST /api/v1/session/second-factor": _sending(lambda _things: {"code": "123456"}),
    "GET /api/v1/session": _plain,
    "DELETE /api/v1/session": _plain,
    "POST /api/v1/account/password": _sending(
        lambda _things: {"old_password": PASSWORD, "new_password": "a kettle of wet otters"}
    ),
    "POST /api/v1/account/password-by-link": _sending(
        lambda things: {"token": things.link(), "password": "a kettle of wet otters"}
    ),
    "POST /api/v1/account/second-factor": _sending(lambda _things: {"password": PASSWORD}),
    "POST /api/v1/account/second-factor/confirm": _sending(lambda things: {"code": things.code()}),
    "POST /api/v1/account/second-factor/remove": _sending(lambda _things: {"password": PASSWORD}),
    "GET /api/v1/api-tokens": _plain,
    "POST /api/v1/api-tokens": _sending(lambda _things: {"name": "crm"}),
    "GET /api/v1/api-tokens/{token_id}": _on("token_id", Things.token),
    "DELETE /api/v1/api-tokens/{token_id}": _on("token_id", Things.token),
    "GET /api/v1/users": _plain,
    "POST /api/v1/users": lambda things: Call(
        sent={"email": f"new{next(_serial)}@example.com", "name": "New", "group_id": things.north}
    ),
    "GET /api/v1/users/{user_id}": _on("user_id", _user),
    "PATCH /api/v1/users/{user_id}": _on("user_id", _user, {"name": "Other"}),
    "DELETE /api/v1/users/{user_id}": _on("user_id", _user),
    "POST /api/v1/users/{user_id}/enable": _on("user_id", _user),
    "POST /api/v1/users/{user_id}/link": _on("user_id", _user),
    "DELETE /api/v1/users/{user_id}/second-factor": _on("user_id", _user),
    "GET /api/v1/groups": _plain,
    "POST /api/v1/groups": _sending(lambda things: {"name": "New", "parent_id": things.north}),
    "GET /api/v1/groups/{group_id}": _on("group_id", _group),
    "PATCH /api/v1/groups/{group_id}": _on("group_id", _group, {"city": "Oakland"}),
    "DELETE /api/v1/groups/{group_id}": _on("group_id", _group),
    "POST /api/v1/groups/{group_id}/move": lambda things: Call(
        {"group_id": things.group().id}, {"parent_id": things.group().id}
    ),
    "GET /api/v1/plans": _plain,
    "POST /api/v1/plans": _sending(lambda _things: {"name": f"new {next(_serial)}"}),
    "GET /api/v1/plans/{plan_id}": _on("plan_id", _plan),
    "PATCH /api/v1/plans/{plan_id}": _on("plan_id", _plan, {"includes_referral": False}),
    "GET /api/v1/campaigns": _plain,
    "POST /api/v1/campaigns": _sending(lambda things: {"name": "New", "group_id": things.north}),
    "POST /api/v1/campaigns/bulk": _sending(
        lambda things: {"action": "pause", "ids": [things.campaign().id]}
    ),
    "GET /api/v1/campaigns/{campaign_id}": _on("campaign_id", _campaign),
    "PATCH /api/v1/campaigns/{campaign_id}": _on("campaign_id", _campaign, {"name": "Other"}),
    "DELETE /api/v1/campaigns/{campaign_id}": _on("campaign_id", _campaign),
    "POST /api/v1/campaigns/{campaign_id}/end": _on("campaign_id", _campaign),
    "POST /api/v1/campaigns/{campaign_id}/extend": _on(
        "campaign_id", lambda things: things.campaign(ends_at=NOW).id, {"ends_at": _LATER}
    ),
    "POST /api/v1/campaigns/{campaign_id}/pause": _on("campaign_id", _campaign),
    "POST /api/v1/campaigns/{campaign_id}/resume": _on(
        "campaign_id", lambda things: things.campaign(enabled=False).id
    ),
    "POST /api/v1/campaigns/{campaign_id}/owner": lambda things: Call(
        {"campaign_id": things.campaign().id}, {"owner_id": things.user().id}
    ),
    "GET /api/v1/tracking-numbers": _plain,
    "POST /api/v1/tracking-numbers": _sending(
        lambda things: {"number": a_phone().e164, "campaign_id": things.campaign().id}
    ),
    "POST /api/v1/tracking-numbers/bulk": _sending(
        lambda things: {"numbers": [{"number": a_phone().e164, "campaign_id": things.campaign().id}]}
    ),
    "GET /api/v1/tracking-numbers/{number_id}": _on("number_id", _number),
    "PATCH /api/v1/tracking-numbers/{number_id}": _on("number_id", _number, {"name": "Other"}),
    "DELETE /api/v1/tracking-numbers/{number_id}": _on("number_id", Things.spare_number),
    "GET /api/v1/tracking-numbers/{number_id}/usage": _on("number_id", _number),
    "POST /api/v1/tracking-numbers/{number_id}/undo-release": _on("number_id", Things.released_number),
    "POST /api/v1/tracking-numbers/{number_id}/move": lambda things: Call(
        {"number_id": things.number()}, {"campaign_id": things.campaign().id}
    ),
    "GET /api/v1/available-numbers": lambda _things: Call(query={"country": "US"}),
    "GET /api/v1/number-orders": _plain,
    "POST /api/v1/number-orders": _ordered,
    "POST /api/v1/number-orders/plan": _ordered,
    "GET /api/v1/number-orders/{order_id}": _on("order_id", Things.order),
    "POST /api/v1/number-orders/{order_id}/cancel": _on("order_id", Things.order),
    "POST /api/v1/number-orders/{order_id}/resume": _on("order_id", Things.order),
    "GET /api/v1/prompts": _plain,
    "POST /api/v1/prompts": _sending(lambda things: {"name": "New", "group_id": things.north}),
    "POST /api/v1/prompts/recordings": lambda things: Call(
        form={"name": "New", "group_id": things.north, "file": a_sound()}
    ),
    "GET /api/v1/prompts/{prompt_id}": _on("prompt_id", Things.text),
    "PATCH /api/v1/prompts/{prompt_id}": _on("prompt_id", Things.text, {"name": "Other"}),
    "DELETE /api/v1/prompts/{prompt_id}": _on("prompt_id", Things.text),
    "GET /api/v1/prompts/{prompt_id}/audio": _on("prompt_id", Things.recording),
    "PUT /api/v1/prompts/{prompt_id}/audio": lambda things: Call(
        {"prompt_id": things.text()}, form={"file": a_sound()}
    ),
    "GET /api/v1/blocked-callers": _plain,
    "POST /api/v1/blocked-callers": _sending(
        lambda things: {"callers": f"+1415555{next(_serial):04d}", "group_id": things.north}
    ),
    "GET /api/v1/blocked-callers/{block_id}": _on("block_id", Things.block),
    "DELETE /api/v1/blocked-callers/{block_id}": _on("block_id", Things.block),
    "GET /api/v1/calls": _plain,
    "GET /api/v1/calls/{call_id}": _on("call_id", Things.logged_call),
    **{
        f"GET /api/v1/reports/{name}": _plain
        for name in (
            "days",
            "hours",
            "campaigns",
            "numbers",
            "groups",
            "regions",
            "callers",
            "ended-numbers",
        )
    },
    "GET /api/v1/call-exports": _plain,
    "POST /api/v1/call-exports": _sending(lambda _things: {"format": "jsonl"}),
    "GET /api/v1/call-exports/{export_id}": _on("export_id", Things.export),
    "GET /api/v1/call-exports/{export_id}/file": _on("export_id", Things.export),
    "DELETE /api/v1/call-exports/{export_id}": _on("export_id", Things.export),
    "GET /api/v1/routes/{number}": lambda things: Call(
        {"number": things.session.get_one(TrackingNumber, things.number()).number.e164}
    ),
    "GET /api/v1/saved-filters": _plain,
    "POST /api/v1/saved-filters": _sending(lambda _things: {"page": "campaigns", "query": "state=live"}),
    "GET /api/v1/saved-filters/{page}": _on("page", Things.saved_filter),
    "DELETE /api/v1/saved-filters/{page}": _on("page", Things.saved_filter),
    "GET /api/v1/webhook-endpoints": _plain,
    "POST /api/v1/webhook-endpoints": _sending(
        lambda things: {
            "address": A_PUBLIC_ADDRESS,
            "events": ["call.started"],
            "group_id": things.group().id,  # one has so many at most
        }
    ),
    "GET /api/v1/webhook-endpoints/{endpoint_id}": _on("endpoint_id", Things.endpoint),
    "PATCH /api/v1/webhook-endpoints/{endpoint_id}": _on("endpoint_id", Things.endpoint, {"name": "Other"}),
    "DELETE /api/v1/webhook-endpoints/{endpoint_id}": _on("endpoint_id", Things.endpoint),
    **{
        f"POST /api/v1/webhook-endpoints/{{endpoint_id}}/{act}": _on("endpoint_id", Things.endpoint)
        for act in ("pause", "resume", "rotate", "test", "replay")
    },
    "GET /api/v1/webhook-endpoints/{endpoint_id}/deliveries": _on("endpoint_id", Things.endpoint),
    "GET /api/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}": lambda things: Call(
        things.delivery()
    ),
    "POST /api/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/replay": lambda things: Call(
        things.delivery()
    ),
    "GET /api/v1/audit-entries": _plain,
}

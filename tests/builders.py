"""Builders for tests: say what matters, leave out the rest.

`a_…` writes a row and flushes it; the functions named after facts give plain values.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models.base import Base
from models.blocked_caller import BlockedCaller, block
from models.campaign import Campaign
from models.group import Group
from models.plan import Plan
from models.prompt import Prompt, PromptKind, store_recording
from models.tracking_number import TrackingNumber, hold_number
from models.user import Role, User
from models.webhook_endpoint import WebhookEndpoint, WebhookEvent, open_lane
from routing.blocks import CallerPattern
from routing.breaker import Breaker
from routing.call import InboundCall
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, NumberFacts, Route

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TRACKING = PhoneNumber("+15005550100")
BUSINESS = PhoneNumber("+14155550123")
CALLER = PhoneNumber("+13035550142")

Row = TypeVar("Row", bound=Base)

_serial = count(1)


def a_phone(serial: int | None = None) -> PhoneNumber:
    """A made-up number; a new one each time unless `serial` says which."""
    return PhoneNumber(f"+1500{next(_serial) if serial is None else serial:07d}")


def a_plan(session: Session, **said: Any) -> Plan:
    return _added(session, Plan(**{"name": f"plan {next(_serial)}", "includes_referral": True} | said))


def a_group(session: Session, **said: Any) -> Group:
    """A group; a root without a plan unless told otherwise."""
    return _added(session, Group(**{"name": "Bay Bakery"} | said))


def a_user(session: Session, **said: Any) -> User:
    """An admin, of a new group unless `group_id` is given."""
    plain = {"email": f"user{next(_serial)}@example.com", "name": "Alice", "role": Role.ADMIN}
    return _added(session, User(**_in_a_group(session, plain | said)))


def a_block(session: Session, callers: str, *, group_id: int, **said: Any) -> BlockedCaller:
    return block(session, CallerPattern(callers), group_id=group_id, **({"at": NOW} | said))


def a_text_prompt(session: Session, **said: Any) -> Prompt:
    return _added(
        session, Prompt(**_in_a_group(session, {"name": "Goodbye", "kind": PromptKind.TEXT} | said))
    )


def a_recorded_prompt(session: Session, data: bytes = b"RIFF", **said: Any) -> Prompt:
    audio = store_recording(session, data, media_type="audio/wav", seconds=1.5, at=NOW)
    plain = {"name": "Goodbye", "kind": PromptKind.RECORDING, "digest": audio.digest}
    return _added(session, Prompt(**_in_a_group(session, plain | said)))


def a_campaign(session: Session, **said: Any) -> Campaign:
    """A live campaign without an end that rings `BUSINESS`, of a new group and owner unless given."""
    plain = {"name": "Leaflet", "starts_at": NOW - timedelta(days=1), "destination": BUSINESS}
    values = _in_a_group(session, plain | said)
    if "owner_id" not in values:
        values["owner_id"] = a_user(session, group_id=values["group_id"]).id
    return _added(session, Campaign(**values))


def a_number(
    session: Session, number: PhoneNumber | None = None, campaign: Campaign | None = None, **said: Any
) -> TrackingNumber:
    """A held number, on `campaign` if given."""
    plain: dict[str, Any] = {"carrier": "twilio"}
    if campaign is not None:
        plain |= {"campaign_id": campaign.id, "group_id": campaign.group_id}
    return hold_number(session, number or a_phone(), **_in_a_group(session, plain | said))


def an_endpoint(session: Session, **said: Any) -> WebhookEndpoint:
    """An endpoint of a new group that wants to hear everything, unless told otherwise."""
    plain: dict[str, Any] = {
        "address": "https://crm.example.com/hooks",
        "events": [event.value for event in WebhookEvent],
        "fields": {},
        "secret": "whsec_" + "c2VjcmV0" * 5,
    }
    return open_lane(session, WebhookEndpoint(**_in_a_group(session, plain | said)))


def campaign_facts(campaign_id: int = 7, **said: Any) -> CampaignFacts:
    """A live campaign without an end that rings `BUSINESS`."""
    plain: dict[str, Any] = {
        "revision": 1,
        "group_id": 3,
        "starts_at": NOW - timedelta(days=1),
        "destination": BUSINESS,
    }
    return CampaignFacts(campaign_id, **(plain | said))


def number_facts(number: PhoneNumber = TRACKING, campaign_id: int | None = 7, **said: Any) -> NumberFacts:
    plain: dict[str, Any] = {"number_id": 11, "revision": 1}
    return NumberFacts(number, campaign_id=campaign_id, **(plain | said))


def route(**of_campaign: Any) -> Route:
    """The route of `TRACKING` with a campaign that is as told."""
    return Route(number_facts(), campaign_facts(**of_campaign))


def an_inbound_call(
    dialled: PhoneNumber | None = TRACKING, call_sid: str | None = None, **said: Any
) -> InboundCall:
    """A call at `NOW`, with a CallSid of its own."""
    plain: dict[str, Any] = {"carrier": "twilio", "received_at": NOW, "caller": CALLER}
    return InboundCall(call_sid=call_sid or f"CA{next(_serial):032x}", dialled=dialled, **(plain | said))


def a_breaker(probe: Callable[[], object] = lambda: None, **said: Any) -> Breaker:
    """A breaker without its thread: `breaker.probe()` does what that would do."""
    return Breaker(probe, **({"start": lambda _work: None} | said))


def _in_a_group(session: Session, values: dict[str, Any]) -> dict[str, Any]:
    return values if "group_id" in values else values | {"group_id": a_group(session).id}


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row

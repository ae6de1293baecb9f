"""Orders of numbers at the carrier: checked as a whole before anything is bought.

Opening an order writes down what is wanted; who works on it (a command, the worker) buys.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor, on_the_server
from admin.drafts import LONGEST_NAME, Id, Line, Phone, Reading
from admin.errors import FieldError, Invalid, Refusal
from admin.number_filling import Filling, NumberFields, region_of
from admin.number_search import Market, Search
from models.campaign import Campaign
from models.group import ancestors
from models.number_order import (
    NumberOrder,
    Purchase,
    PurchaseStep,
    open_order,
    order_by_fingerprint,
)
from models.tracking_number import NumberTaken, TrackingNumber, held_number, hold
from routing.destinations import UnfitDestination
from routing.numbers import PhoneNumber

MOST_AT_ONCE = 1000
# Of Twilio's test range; stands for the numbers to come while the rest of an order is checked.
_SOME_NUMBER = "+15005550006"


class NewOrder(NumberFields, Search):
    """So many numbers that are as the search says, or just `numbers`, with the settings that each gets.

    In `name`, `{n}` is the number's place in the order and `{number}` the number itself. The same
    order is never bought twice: another `key` makes it another one.
    """

    campaign_id: Id | None = None
    group_id: Annotated[Id | None, Field(description="for numbers without a campaign")] = None
    quantity: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 1
    numbers: Annotated[
        list[Phone] | None, Field(min_length=1, max_length=MOST_AT_ONCE, description="instead of a search")
    ] = None
    address_sid: Line | None = None
    bundle_sid: Line | None = None
    key: Annotated[Line, Field(description="tells orders apart that are the same otherwise")] = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """An order that could be opened: everything about it is right."""

    order: NumberOrder
    """Not written yet; or the one that is there already, opened by the same request."""
    search: Search
    names: Sequence[str]
    destination: PhoneNumber | None
    """Where the numbers' calls connect; None: nowhere yet, since they are on no campaign."""
    knows_country: bool
    """Whether the country is that of the numbers; of named ones it is, if it was sent with them."""

    @property
    def is_new(self) -> bool:
        return self.order.id is None


def plan(session: Session, actor: Actor, raw: object, carrier: str) -> Plan:
    """Check a `NewOrder` and say what it comes to; nothing is written. Raise `Invalid`, `NotAllowed`."""
    actor.require_writing()
    reading = Reading()
    draft = reading.read(NewOrder, raw)
    filling = Filling(session, actor)
    settings = {name: value for name, value in draft.sent.items() if name in _PASSED_ON}
    spelled = draft.model_dump(include=set(settings), mode="json")
    example = filling.fill({"number": _SOME_NUMBER, **spelled}, "", reading)
    filling.refuse_own_numbers([example], reading)
    sent = draft.sent
    if sent.get("numbers") is not None:
        _check_numbers(sent, reading)
    reading.finish()
    fields = example.fields
    sent = {name: value for name, value in sent.items() if name not in {"quantity", "key"}}
    country = sent.get("country") or region_of(session, fields["group_id"])
    if country is None and sent.get("numbers") is None:
        raise Invalid(FieldError("country", "is mandatory, such as US: the group's phone does not tell it"))
    destination = fields["destination"] or _destination_of(session, fields["campaign_id"])
    if destination is None and fields["campaign_id"] is not None:
        raise Invalid(
            FieldError(
                "destination", "is mandatory: neither the campaign nor the group has one for its callers"
            )
        )
    wanted = draft.model_dump(include=set(sent), mode="json") | {"country": country}
    quantity = len(draft.numbers) if sent.get("numbers") and draft.numbers else draft.quantity
    # Of what was said, not of what it comes to today: a campaign that moves makes no other order of it.
    said = draft.model_dump(include=set(draft.sent) - {"quantity"}, mode="json")
    fingerprint = _fingerprint([carrier, actor.group_id, quantity, said])
    order = order_by_fingerprint(session, fingerprint) or NumberOrder(
        fingerprint=fingerprint,
        group_id=fields["group_id"],
        campaign_id=fields["campaign_id"],
        user_id=actor.author.user_id,
        via=actor.via,
        carrier=carrier,
        quantity=quantity,
        wanted=wanted,
        label=f"hookswitch order {secrets.token_hex(8)}",
    )
    names = [name_of(order, place, None) for place in range(1, quantity + 1)]
    knows_country = not numbers_of(order) or sent.get("country") is not None
    return Plan(order, search_of(order), names, destination, knows_country)


def open_one(session: Session, actor: Actor, raw: object, carrier: str, now: datetime) -> NumberOrder:  # noqa: ARG001
    """Write down a `NewOrder`, or find the one that the same request opened; raise as `plan` does."""
    return open_order(session, plan(session, actor, raw, carrier).order)


def place(session: Session, actor: Actor, raw: object, market: Market, now: datetime) -> NumberOrder:
    """Write down a `NewOrder` for a worker to carry out; raise as `plan` does, and `CarrierRefuses`."""
    planned = plan(session, actor, raw, market.name)
    market.check_open()
    if planned.is_new:
        planned.order.next_at = now
    return open_order(session, planned.order)


def record(session: Session, order: NumberOrder, purchase: Purchase) -> TrackingNumber:
    """Hold a number that was bought, as the order says.

    It is ours and costs money, so it is held whatever happened since the order was opened: without a
    campaign if that would not take it any more, and as it is if somebody holds it already. The
    purchase's `problem` says so.
    """
    try:
        holding = _held_as_ordered(session, order, purchase)
    except NumberTaken:
        there = held_number(session, purchase.number)
        if there is None:
            raise
        holding = there
        purchase.problem = "it was held already, and was left as it is"
    purchase.tracking_number_id = holding.id
    purchase.step = PurchaseStep.RECORDED
    return holding


def name_of(order: NumberOrder, place: int, number: PhoneNumber | None) -> str:
    """The name of the order's number at `place`."""
    template = str(order.wanted.get("name") or "")
    named = template.replace("{n}", str(place))
    return named if number is None else named.replace("{number}", number.e164)


def search_of(order: NumberOrder) -> Search:
    """What the order's numbers must be like."""
    asked = {name: value for name, value in order.wanted.items() if name in Search.model_fields and value}
    return Search.model_validate(asked)


def numbers_of(order: NumberOrder) -> list[PhoneNumber]:
    """The numbers that were asked for by name; empty: any that the search finds."""
    return [PhoneNumber(e164) for e164 in order.wanted.get("numbers") or ()]


_PASSED_ON = frozenset({*NumberFields.model_fields, "campaign_id", "group_id"})


def _check_numbers(sent: dict[str, Any], reading: Reading) -> None:
    if len(set(sent["numbers"])) != len(sent["numbers"]):
        reading.add("numbers", "names a number twice")
    if "quantity" in sent and sent["quantity"] != len(sent["numbers"]):
        reading.add("quantity", "is as many as there are numbers; leave it out")
    for field in ("area_code", "contains", "region", "near"):
        if sent.get(field) is not None:
            reading.add(field, "does not go with numbers that are named")


def _destination_of(session: Session, campaign_id: int | None) -> PhoneNumber | None:
    return None if campaign_id is None else session.get_one(Campaign, campaign_id).destination


def _fingerprint(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _held_as_ordered(session: Session, order: NumberOrder, purchase: Purchase) -> TrackingNumber:
    root = ancestors(session, order.group_id)[0]
    actor = on_the_server(root.id)
    wanted = {name: value for name, value in order.wanted.items() if name in NumberFields.model_fields}
    wanted["name"] = name_of(order, purchase.position, purchase.number)
    raw = wanted | {"number": purchase.number.e164, "carrier": order.carrier}
    place = {"group_id": order.group_id} if order.campaign_id is None else {"campaign_id": order.campaign_id}
    try:
        reading = Reading()
        filled = Filling(session, actor).fill(raw | place, "", reading)
        reading.finish()
        holding = TrackingNumber(**filled.fields | {"carrier_sid": purchase.carrier_sid})
    except (Refusal, UnfitDestination) as refusal:
        purchase.problem = f"it is on no campaign: {refusal}"
        holding = TrackingNumber(
            number=purchase.number,
            group_id=order.group_id,
            name=wanted["name"][:LONGEST_NAME],
            carrier=order.carrier,
            carrier_sid=purchase.carrier_sid,
        )
    hold(session, [holding])
    return holding

"""How a new tracking number is filled in: its number as people write it, the group's defaults."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Line, Name, Phone, Reading, Words
from admin.errors import Invalid
from admin.references import named_campaign, named_group
from models.campaign import Campaign
from models.group import ancestors
from models.inheritance import InForce, in_force
from models.tracking_number import held_numbers
from prompts.speech import WHISPER_LIMIT, Unspeakable, speakable
from routing.destinations import unfit_because
from routing.numbers import NotE164, PhoneNumber
from routing.route import CallerId

RingTimeout = Annotated[int, Field(ge=5, le=600)]
Shown = Annotated[CallerId, Field(strict=False)]


class NumberFields(Draft):
    """What a tracking number can be given; what is not sent comes from the group's defaults."""

    name: Line = ""
    destination: Phone | None = None
    whisper: Words | None = None
    ring_timeout: Annotated[RingTimeout | None, Field(description="seconds")] = None
    record_calls: bool = False
    caller_id: Shown = CallerId.CALLER


class NewNumber(NumberFields):
    """A number to be put on a campaign, or kept in a group for later.

    `number` is E.164, or national where the country of the group's phone makes it unambiguous.
    """

    number: Name
    campaign_id: Id | None = None
    group_id: Annotated[Id | None, Field(description="for a number without a campaign")] = None
    carrier: Literal["twilio", "signalwire", "telnyx"] = "twilio"
    carrier_sid: Line | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """One number of a request, as it shall be held."""

    place: str
    fields: dict[str, Any]


@dataclass(slots=True)
class Filling:
    """Fills in the numbers of one request; what they have in common is looked up once."""

    session: Session
    actor: Actor
    _campaigns: dict[int, Campaign | None] = field(default_factory=dict)
    _defaults: dict[int, InForce] = field(default_factory=dict)
    _regions: dict[int, str | None] = field(default_factory=dict)

    def fill(self, raw: object, place: str, reading: Reading) -> Filled:
        """Read a `NewNumber`; errors go to `reading`, led by `place`. Raises `NotAllowed`."""
        own = Reading()
        try:
            draft = own.read(NewNumber, raw)
        except Invalid as error:
            reading.take(error.errors, place)
            return Filled(place, {})
        fields = self._placed(draft, own)
        if "group_id" in fields:
            fields |= self._settings(draft, fields["group_id"], own)
            fields["number"] = self._number(draft.sent.get("number"), fields["group_id"], own)
        reading.take(own.errors, place)
        return Filled(place, fields)

    def refuse_repetitions(self, filled: Sequence[Filled], reading: Reading) -> None:
        """One request cannot hold a number twice."""
        seen: set[PhoneNumber] = set()
        for one in filled:
            number = one.fields.get("number")
            if number in seen:
                reading.add(f"{one.place}number", "stands in this request twice")
            elif number is not None:
                seen.add(number)

    def refuse_own_numbers(self, filled: Sequence[Filled], reading: Reading) -> None:
        """A destination that is a tracking number would send its callers round in a circle."""
        destinations = {one.fields["destination"] for one in filled if one.fields.get("destination")}
        ours = {one.fields.get("number") for one in filled}
        ours |= set(held_numbers(self.session, destinations)) if destinations else set()
        for one in filled:
            destination = one.fields.get("destination")
            if destination is not None and destination in ours:
                reading.add(
                    f"{one.place}destination", "is a tracking number of ours; name the business's number"
                )

    def _placed(self, draft: NewNumber, own: Reading) -> dict[str, Any]:
        """Campaign and group; nothing where there is an error."""
        if own.has_error("campaign_id") or own.has_error("group_id"):
            return {}
        if draft.campaign_id is not None:
            campaign = self._campaign(draft.campaign_id, own)
            return {} if campaign is None else {"campaign_id": campaign.id, "group_id": campaign.group_id}
        self.actor.require_admin()
        group = named_group(self.session, self.actor, draft.group_id, own)
        return {} if group is None else {"campaign_id": None, "group_id": group.id}

    def _campaign(self, campaign_id: int, own: Reading) -> Campaign | None:
        if campaign_id not in self._campaigns:
            self._campaigns[campaign_id] = named_campaign(self.session, self.actor, campaign_id, own)
        elif self._campaigns[campaign_id] is None:
            own.add("campaign_id", "there is no such campaign")
        return self._campaigns[campaign_id]

    def _settings(self, draft: NewNumber, group_id: int, own: Reading) -> dict[str, Any]:
        if group_id not in self._defaults:
            self._defaults |= in_force(self.session, [group_id])
        defaults = self._defaults[group_id]
        settings = {
            "name": draft.name,
            "destination": defaults.destination,
            "whisper": defaults.value("default_whisper"),
            "ring_timeout": defaults.value("default_ring_timeout"),
            "record_calls": defaults.record_calls,
            "caller_id": defaults.caller_id,
            "carrier": draft.carrier,
            "carrier_sid": draft.carrier_sid or None,
        }
        settings |= {name: value for name, value in draft.sent.items() if name in NumberFields.model_fields}
        if settings["whisper"]:
            settings["whisper"] = spoken(settings["whisper"], "whisper", own)
        reason = None if settings["destination"] is None else unfit_because(settings["destination"])
        if reason is not None:
            own.add("destination", f"is {reason}; name a number that rings at ordinary cost")
        return settings

    def _number(self, written: str | None, group_id: int, own: Reading) -> PhoneNumber | None:
        if written is None:
            return None
        if group_id not in self._regions:
            self._regions[group_id] = region_of(self.session, group_id)
        try:
            return number_written(written, self._regions[group_id])
        except NotE164 as error:
            own.add("number", str(error))
            return None


def number_written(text: str, region: str | None) -> PhoneNumber:
    """Read a number as people of `region` (ISO 3166) write it, or in international form; raise `NotE164`.

    A national form must be that of a valid number there: guessing could hold somebody else's.
    """
    if text.lstrip().startswith("+") or region is None:
        return PhoneNumber.parse(text)
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return PhoneNumber.parse(text)
    if not phonenumbers.is_valid_number(parsed):
        raise NotE164(f"is no number of {region}; write it with its country, such as +14155550100")
    return PhoneNumber(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def region_of(session: Session, group_id: int) -> str | None:
    """The country of a group: that of its phone, or of the nearest phone above it."""
    phones = (group.phone for group in reversed(ancestors(session, group_id)))
    phone = next((phone for phone in phones if phone is not None), None)
    try:
        return None if phone is None else phonenumbers.region_code_for_number(phonenumbers.parse(phone.e164))
    except phonenumbers.NumberParseException:  # a country code that nobody was given
        return None


def spoken(text: str, place: str, reading: Reading, limit: int = WHISPER_LIMIT) -> str:
    """The text as a voice can say it, or an error at `place` for each of its faults."""
    try:
        return speakable(text, limit)
    except Unspeakable as error:
        for fault in error.faults:
            reading.add(place, fault)
        return text

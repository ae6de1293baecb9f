"""How facts and events are written in Redis: readable text, tolerant of what a newer version adds.

A campaign is `<revision> <JSON object>`. A number is `<revision> <campaign id, 0 for none> <number id>`,
followed by a JSON object only where it says more than its campaign, which few numbers do.
A server-side script can read revision and campaign id without parsing JSON. Object members that a
reader does not know are ignored, missing ones take their default; anything else is `Unreadable`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from routing.call import InboundCall
from routing.numbers import PhoneNumber
from routing.route import CallerId, CampaignFacts, EndOfCampaign, NumberFacts, RecordedPrompt, SpokenPrompt


class Unreadable(ValueError):
    """Bytes under our key that are no fact of ours; whoever reads them asks the database instead."""


class _Spoken(msgspec.Struct, tag="spoken", omit_defaults=True):
    language: str = "en"
    voice: str | None = None
    text: str | None = None


class _Recorded(msgspec.Struct, tag="recorded", omit_defaults=True):
    prompt_id: int
    digest: str
    extension: str = "wav"
    language: str = "en"


class _Campaign(msgspec.Struct, omit_defaults=True):
    id: int
    group: int
    starts: datetime
    ends: datetime | None = None
    enabled: bool = True
    archived: bool = False
    end_of_campaign: EndOfCampaign = EndOfCampaign.NORMAL
    referral_included: bool = False
    external_id: str | None = None
    business_name: str = ""
    business_number: str | None = None
    destination: str | None = None
    prompt: _Spoken | _Recorded | None = None
    groups_above: tuple[int, ...] = ()
    countries: tuple[str, ...] | None = None
    talk_limit: int | None = None
    destination_is_ours: bool = False


class _OwnFacts(msgspec.Struct, omit_defaults=True):
    group: int | None = None
    groups_above: tuple[int, ...] = ()
    released: bool = False
    destination: str | None = None
    whisper: str | None = None
    ring_timeout: int | None = None
    record_calls: bool = False
    caller_id: CallerId = CallerId.CALLER
    destination_is_ours: bool = False


class _Call(msgspec.Struct, omit_defaults=True):
    carrier: str
    sid: str
    at: datetime
    to: str | None = None
    to_text: str = ""
    caller: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    attestation: str | None = None
    forwarded_from: str | None = None


_encode = msgspec.json.Encoder().encode
_read_campaign = msgspec.json.Decoder(_Campaign).decode
_read_own_facts = msgspec.json.Decoder(_OwnFacts).decode
_read_call = msgspec.json.Decoder(_Call).decode
_NOTHING_OF_ITS_OWN = b"{}"
_PARTS_OF_A_NUMBER = 3
NO_FACT = (ValueError, OverflowError, RecursionError)
"""What reading bytes that are no fact of ours raises.

An instant that UTC would carry out of the calendar overflows; JSON nested without end recurses.
"""


def encode_campaign(facts: CampaignFacts) -> bytes:
    record = _Campaign(
        id=facts.campaign_id,
        group=facts.group_id,
        starts=facts.starts_at,
        ends=facts.ends_at,
        enabled=facts.enabled,
        archived=facts.archived,
        end_of_campaign=facts.end_of_campaign,
        referral_included=facts.referral_included,
        external_id=facts.external_id,
        business_name=facts.business_name,
        business_number=_text(facts.business_number),
        destination=_text(facts.destination),
        prompt=_prompt_record(facts.prompt),
        groups_above=facts.groups_above,
        countries=facts.countries,
        talk_limit=facts.talk_limit,
        destination_is_ours=facts.destination_is_ours,
    )
    return b"%d %b" % (facts.revision, _encode(record))


@lru_cache(maxsize=8192)
def decode_campaign(raw: bytes) -> CampaignFacts:
    """Read a campaign, raise `Unreadable`.

    Remembered by its bytes: they change when the facts do, and a busy campaign is read a thousand
    times for each edit.
    """
    revision, _, body = raw.partition(b" ")
    try:
        record = _read_campaign(body)
        return CampaignFacts(
            campaign_id=record.id,
            revision=int(revision),
            group_id=record.group,
            starts_at=instant(record.starts),
            ends_at=None if record.ends is None else instant(record.ends),
            enabled=record.enabled,
            archived=record.archived,
            end_of_campaign=record.end_of_campaign,
            referral_included=record.referral_included,
            external_id=record.external_id,
            business_name=record.business_name,
            business_number=_number(record.business_number),
            destination=_number(record.destination),
            prompt=_prompt(record.prompt),
            groups_above=record.groups_above,
            countries=record.countries,
            talk_limit=record.talk_limit,
            destination_is_ours=record.destination_is_ours,
        )
    except NO_FACT as error:
        raise Unreadable("campaign facts") from error


def encode_number(facts: NumberFacts) -> bytes:
    own = _encode(
        _OwnFacts(
            group=facts.group_id,
            groups_above=facts.groups_above,
            released=facts.released,
            destination=_text(facts.destination),
            whisper=facts.whisper,
            ring_timeout=facts.ring_timeout,
            record_calls=facts.record_calls,
            caller_id=facts.caller_id,
            destination_is_ours=facts.destination_is_ours,
        )
    )
    head = b"%d %d %d" % (facts.revision, facts.campaign_id or 0, facts.number_id)
    return head if own == _NOTHING_OF_ITS_OWN else head + b" " + own


def encoded(numbers: Iterable[NumberFacts]) -> Iterator[tuple[str, bytes]]:
    """Each number as the index stores it: its E.164 text and what is written there."""
    return ((facts.number.e164, encode_number(facts)) for facts in numbers)


def decode_number(number: PhoneNumber, raw: bytes) -> NumberFacts:
    """Read what is stored for `number`, raise `Unreadable`."""
    parts = raw.split(b" ", _PARTS_OF_A_NUMBER)
    try:
        revision, campaign_id, number_id = int(parts[0]), int(parts[1]), int(parts[2])
        if len(parts) == _PARTS_OF_A_NUMBER:
            return NumberFacts(number, number_id, revision, campaign_id or None)
        own = _read_own_facts(parts[_PARTS_OF_A_NUMBER])
        return NumberFacts(
            number,
            number_id,
            revision,
            campaign_id or None,
            group_id=own.group,
            groups_above=own.groups_above,
            released=own.released,
            destination=_number(own.destination),
            whisper=own.whisper,
            ring_timeout=own.ring_timeout,
            record_calls=own.record_calls,
            caller_id=own.caller_id,
            destination_is_ours=own.destination_is_ours,
        )
    except (*NO_FACT, IndexError) as error:
        raise Unreadable("number facts") from error


def encode_call(call: InboundCall) -> bytes:
    return _encode(
        _Call(
            carrier=call.carrier,
            sid=call.call_sid,
            at=call.received_at,
            to=_text(call.dialled),
            to_text=call.dialled_text,
            caller=_text(call.caller),
            city=call.caller_city,
            state=call.caller_state,
            country=call.caller_country,
            attestation=call.attestation,
            forwarded_from=_text(call.forwarded_from),
        )
    )


def decode_call(raw: bytes) -> InboundCall:
    """Read a journaled call, raise `Unreadable`."""
    try:
        record = _read_call(raw)
        return InboundCall(
            carrier=record.carrier,
            call_sid=record.sid,
            received_at=instant(record.at),
            dialled=_number(record.to),
            dialled_text=record.to_text,
            caller=_number(record.caller),
            caller_city=record.city,
            caller_state=record.state,
            caller_country=record.country,
            attestation=record.attestation,
            forwarded_from=_number(record.forwarded_from),
        )
    except NO_FACT as error:
        raise Unreadable("journaled call") from error


def _text(number: PhoneNumber | None) -> str | None:
    return None if number is None else number.e164


def _number(text: str | None) -> PhoneNumber | None:
    return None if text is None else PhoneNumber(text)


def instant(moment: datetime) -> datetime:
    """Refuse an instant without its offset: it could mean any of 26 hours."""
    if moment.tzinfo is None:
        raise ValueError("instant without offset")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _prompt_record(prompt: SpokenPrompt | RecordedPrompt | None) -> _Spoken | _Recorded | None:
    match prompt:
        case None:
            return None
        case SpokenPrompt():
            return _Spoken(prompt.language, prompt.voice, prompt.text)
        case RecordedPrompt():
            return _Recorded(prompt.prompt_id, prompt.digest, prompt.extension, prompt.language)


def _prompt(record: _Spoken | _Recorded | None) -> SpokenPrompt | RecordedPrompt | None:
    match record:
        case None:
            return None
        case _Spoken():
            return SpokenPrompt(record.language, record.voice, record.text)
        case _Recorded():
            return RecordedPrompt(record.prompt_id, record.digest, record.extension, record.language)

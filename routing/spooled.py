"""How calls and what became of them are written in the spool: JSON, in the notation of the journal."""

import msgspec

from routing.arrival import Arrival, Source
from routing.block_encoding import decode_blocks, encode_blocks
from routing.encoding import (
    Unreadable,
    decode_call,
    decode_campaign,
    decode_number,
    encode_call,
    encode_campaign,
    encode_number,
)
from routing.event_encoding import decode_event, encode_event
from routing.events import CallEvent
from routing.route import Route


class _Arrival(msgspec.Struct, omit_defaults=True):
    call: msgspec.Raw
    source: Source
    number: str = ""
    campaign: str = ""
    blocks: str = ""


class _Event(msgspec.Struct):
    event: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(_Arrival).decode
_read_event = msgspec.json.Decoder(_Event).decode


def encode_happening(happening: Arrival | CallEvent) -> bytes:
    match happening:
        case Arrival():
            return encode_arrival(happening)
        case CallEvent():
            return _encode(_Event(msgspec.Raw(encode_event(happening))))


def decode_happening(raw: bytes) -> Arrival | CallEvent:
    """Read a record, raise `Unreadable`."""
    try:
        event = _read_event(raw).event
    except (ValueError, RecursionError):
        return decode_arrival(raw)
    return decode_event(bytes(event))


def encode_arrival(arrival: Arrival) -> bytes:
    route = arrival.route
    campaign = None if route is None else route.campaign
    return _encode(
        _Arrival(
            call=msgspec.Raw(encode_call(arrival.call)),
            source=arrival.source,
            number="" if route is None else encode_number(route.number).decode(),
            campaign="" if campaign is None else encode_campaign(campaign).decode(),
            blocks="" if route is None else encode_blocks(route.blocks).decode(),
        )
    )


def decode_arrival(raw: bytes) -> Arrival:
    """Read a spooled call, raise `Unreadable`."""
    try:
        record = _read(raw)
        call = decode_call(bytes(record.call))
        if call.dialled is None or not record.number:
            return Arrival(call, None, record.source)
        number = decode_number(call.dialled, record.number.encode())
        campaign = decode_campaign(record.campaign.encode()) if record.campaign else None
        route = Route(number, campaign).facing(decode_blocks(record.blocks.encode()))
        return Arrival(call, route, record.source)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable("spooled call") from error

"""How a call is written in the spool: one JSON object, its members in the notation of the journal."""

import msgspec

from routing.arrival import Arrival, Source
from routing.encoding import (
    Unreadable,
    decode_call,
    decode_campaign,
    decode_number,
    encode_call,
    encode_campaign,
    encode_number,
)
from routing.route import Route


class _Arrival(msgspec.Struct, omit_defaults=True):
    call: msgspec.Raw
    source: Source
    number: str = ""
    campaign: str = ""


_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(_Arrival).decode


def encode_arrival(arrival: Arrival) -> bytes:
    route = arrival.route
    campaign = None if route is None else route.campaign
    return _encode(
        _Arrival(
            call=msgspec.Raw(encode_call(arrival.call)),
            source=arrival.source,
            number="" if route is None else encode_number(route.number).decode(),
            campaign="" if campaign is None else encode_campaign(campaign).decode(),
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
        return Arrival(call, Route(number, campaign), record.source)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable("spooled call") from error

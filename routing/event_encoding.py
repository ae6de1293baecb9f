"""How a reported event is written in journal and spool: JSON, tolerant of what a newer version adds."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from routing.encoding import NO_FACT, Unreadable, instant
from routing.events import NOTHING, CallEvent, CallUpdate, EventKind


class _Event(msgspec.Struct, omit_defaults=True):
    carrier: str
    sid: str
    kind: EventKind
    key: str
    at: datetime
    occurred: datetime | None = None
    update: CallUpdate = NOTHING
    raw: Mapping[str, str] = msgspec.field(default_factory=dict)


_encode = msgspec.json.Encoder().encode
_read_event = msgspec.json.Decoder(_Event).decode
_INSTANTS = ("started_at", "rang_at", "rang_until", "answered_at", "ended_at", "reconciled_at")


def encode_event(event: CallEvent) -> bytes:
    record = _Event(
        carrier=event.carrier,
        sid=event.call_sid,
        kind=event.kind,
        key=event.key,
        at=event.received_at,
        occurred=event.occurred_at,
        update=event.update,
        raw=event.raw,
    )
    return _encode(record)


def decode_event(raw: bytes) -> CallEvent:
    """Read a reported event, raise `Unreadable`."""
    try:
        record = _read_event(raw)
        return CallEvent(
            carrier=record.carrier,
            call_sid=record.sid,
            kind=record.kind,
            key=record.key,
            occurred_at=None if record.occurred is None else instant(record.occurred),
            received_at=instant(record.at),
            update=_in_utc(record.update),
            raw=record.raw,
        )
    except NO_FACT as error:
        raise Unreadable("reported event") from error


def _in_utc(update: CallUpdate) -> CallUpdate:
    stamps = ((name, getattr(update, name)) for name in _INSTANTS)
    elsewhere = {name: instant(at) for name, at in stamps if at is not None and at.tzinfo is not UTC}
    return replace(update, **elsewhere) if elsewhere else update

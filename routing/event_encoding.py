"""How a reported event is written in journal and spool: JSON, tolerant of what a newer version adds."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime

import msgspec

from routing.disposition import Disposition
from routing.encoding import Unreadable
from routing.events import NOTHING, CallEvent, CallUpdate, EventKind


class _Update(msgspec.Struct, omit_defaults=True, frozen=True):
    """The members are those of `CallUpdate`."""

    disposition: Disposition | None = None
    disposition_rank: int | None = None
    started_at: datetime | None = None
    rang_at: datetime | None = None
    rang_until: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk_seconds: int | None = None
    duration_seconds: int | None = None
    answering_leg: str | None = None
    answering_leg_rank: int | None = None
    recording_sid: str | None = None
    recording_url: str | None = None
    recording_seconds: int | None = None
    consent_version: str | None = None
    reconciled_at: datetime | None = None


class _Event(msgspec.Struct, omit_defaults=True):
    carrier: str
    sid: str
    kind: EventKind
    key: str
    at: datetime
    occurred: datetime | None = None
    update: _Update | None = None
    raw: Mapping[str, str] = msgspec.field(default_factory=dict)


_encode = msgspec.json.Encoder().encode
_read_event = msgspec.json.Decoder(_Event).decode
_MEMBERS = tuple(member.name for member in fields(CallUpdate))
_NO_EVENT = (ValueError, OverflowError, RecursionError)


def encode_event(event: CallEvent) -> bytes:
    record = _Event(
        carrier=event.carrier,
        sid=event.call_sid,
        kind=event.kind,
        key=event.key,
        at=event.received_at,
        occurred=event.occurred_at,
        update=_known(event.update),
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
            occurred_at=None if record.occurred is None else _instant(record.occurred),
            received_at=_instant(record.at),
            update=_update(record.update),
            raw=record.raw,
        )
    except _NO_EVENT as error:
        raise Unreadable("reported event") from error


def _known(update: CallUpdate) -> _Update | None:
    return None if update == NOTHING else msgspec.convert(update, _Update, from_attributes=True)


def _update(record: _Update | None) -> CallUpdate:
    if record is None:
        return NOTHING
    known = {name: value for name in _MEMBERS if (value := getattr(record, name)) is not None}
    for name, value in known.items():
        if isinstance(value, datetime):
            known[name] = _instant(value)
    return CallUpdate(**known)


def _instant(moment: datetime) -> datetime:
    """Refuse an instant without its offset: it could mean any of 26 hours."""
    if moment.tzinfo is None:
        raise ValueError("instant without offset")
    return moment.astimezone(UTC)

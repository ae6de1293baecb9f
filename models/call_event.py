"""What carriers reported of each call, and its sum in the call log."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from msgspec.structs import fields
from sqlalchemy import JSON, Table, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words
from models.bulk import Upsert
from models.call import CALL_KEY, Call
from models.call_merge import merged
from models.call_news import telling
from routing.events import CallEvent, CallUpdate, EventKind, merge


class LoggedEvent(Base):
    """One report as the carrier sent it; kept whether or not its call is in the log."""

    __tablename__ = "call_events"
    __table_args__ = (UniqueConstraint("carrier", "call_sid", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    carrier: Mapped[str]
    call_sid: Mapped[str]
    kind: Mapped[EventKind] = mapped_column(words(EventKind, "kind"))
    key: Mapped[str]
    occurred_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    # json, not jsonb: it keeps what it is given, and takes the escapes that jsonb refuses.
    raw: Mapped[Any] = mapped_column(JSON())
    """The carrier's fields by name, phone numbers unmasked."""


_EVENTS: Table = LoggedEvent.__table__  # type: ignore[assignment]  # declared as FromClause
_CALLS: Table = Call.__table__  # type: ignore[assignment]
_EVENT_COLUMNS = ("kind", "occurred_at", "received_at", "raw")
_UPDATE_COLUMNS = (
    *(member.name for member in fields(CallUpdate) if member.name != "started_at"),
    "ring_seconds",
)
_NEW_EVENTS = Upsert(_EVENTS, (*CALL_KEY, "key"), _EVENT_COLUMNS)
_KNOWN_CALLS = Upsert(_CALLS, CALL_KEY, (*_UPDATE_COLUMNS, "started_at", "created_at"), merged)
_key_of = attrgetter(*CALL_KEY, "key")
_event_values = attrgetter(*CALL_KEY, "key", *_EVENT_COLUMNS)
_update_values = attrgetter(*_UPDATE_COLUMNS)


def record_events(session: Session, events: Sequence[CallEvent]) -> int:
    """Keep events and add what they say to their calls; return how many were new.

    Idempotent, and the same in any order: a call that the log does not have yet gets a row without a
    decision, which its arrival fills in. Several hundred at a time are fast. Best in a transaction
    of its own: beside `record_arrivals` two workers could wait for each other crosswise, and
    PostgreSQL would end one of them.
    """
    if not events:
        return 0
    connection = session.connection()
    new = _NEW_EVENTS.run(connection, _each_once(events))
    with telling(session, {(event.carrier, event.call_sid) for event in events}):
        _KNOWN_CALLS.run(connection, _by_call(events))
    return new


def events_of(session: Session, call: Call) -> list[LoggedEvent]:
    """All that was reported of a call, in the order in which it happened."""
    happened_at = func.coalesce(LoggedEvent.occurred_at, LoggedEvent.received_at)
    wanted = (
        select(LoggedEvent)
        .where(LoggedEvent.carrier == call.carrier, LoggedEvent.call_sid == call.call_sid)
        .order_by(happened_at, LoggedEvent.received_at, LoggedEvent.id)
    )
    return list(session.scalars(wanted))


def _each_once(events: Iterable[CallEvent]) -> list[tuple[Any, ...]]:
    first: dict[object, CallEvent] = {}
    for event in events:
        first.setdefault(_key_of(event), event)
    return [_event_values(event) for event in first.values()]


def _by_call(events: Iterable[CallEvent]) -> list[tuple[Any, ...]]:
    """One row per call: the sum of its events, which was on at each of them."""
    known: dict[tuple[str, str], tuple[CallUpdate, datetime, datetime]] = {}
    for event in events:
        key = event.carrier, event.call_sid
        update, received_at = event.update, event.received_at
        started_at = update.started_at or received_at
        if before := known.get(key):
            update = merge(before[0], update)
            started_at = min(before[1], started_at)
            received_at = min(before[2], received_at)
        known[key] = update, started_at, received_at
    return [
        (*key, *_update_values(update), started_at, received_at)
        for key, (update, started_at, received_at) in known.items()
    ]

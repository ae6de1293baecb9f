"""What carriers reported of each call, and its sum in the call log."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Table, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Row, words
from models.bulk import Upsert
from models.call import CALL_KEY, Call
from models.call_merge import merged
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
_EVENT_COLUMNS = ("carrier", "call_sid", "kind", "key", "occurred_at", "received_at", "raw")
_CALL_COLUMNS = (
    *CALL_KEY,
    "disposition",
    "disposition_rank",
    "started_at",
    "rang_at",
    "rang_until",
    "answered_at",
    "ended_at",
    "ring_seconds",
    "talk_seconds",
    "duration_seconds",
    "answering_leg",
    "answering_leg_rank",
    "recording_sid",
    "recording_url",
    "recording_seconds",
    "consent_version",
    "reconciled_at",
    "created_at",
)
_NEW_EVENTS = Upsert(_EVENTS, _EVENT_COLUMNS, (*CALL_KEY, "key"))
_KNOWN_CALLS = Upsert(_CALLS, _CALL_COLUMNS, CALL_KEY, merged)


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


def _each_once(events: Iterable[CallEvent]) -> list[Row]:
    first: dict[tuple[str, str, str], CallEvent] = {}
    for event in events:
        first.setdefault((event.carrier, event.call_sid, event.key), event)
    return [{name: getattr(event, name) for name in _EVENT_COLUMNS} for event in first.values()]


def _by_call(events: Iterable[CallEvent]) -> list[Row]:
    """One row per call: the sum of its events."""
    known: dict[tuple[str, str], tuple[CallUpdate, datetime]] = {}
    for event in events:
        key = event.carrier, event.call_sid
        before = known.get(key)
        if before is None:
            known[key] = event.update, event.received_at
        else:
            known[key] = merge(before[0], event.update), min(before[1], event.received_at)
    return [_row(key, *sum_of) for key, sum_of in known.items()]


def _row(key: tuple[str, str], update: CallUpdate, received_at: datetime) -> Row:
    row = {name: getattr(update, name, None) for name in _CALL_COLUMNS}
    row["carrier"], row["call_sid"] = key
    row["started_at"] = update.started_at or received_at
    row["created_at"] = received_at
    return row

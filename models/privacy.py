"""Callers' numbers: forgotten after a while, shown or erased when the caller asks for it."""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from models.call import Call
from models.call_event import LoggedEvent
from models.call_rows import EXPORTED
from models.reporting.changes import note_changes
from models.reporting.newcomers import known_callers
from models.webhook_delivery import forget_calls
from routing.numbers import PhoneNumber

_DIGITS_OF_HASH = 32


def hash_of(number: PhoneNumber, key: bytes) -> str:
    """What is kept of a number: the same for the same caller, and of no use without the key."""
    return hmac.digest(key, f"caller {number.e164}".encode(), "sha256").hex()[:_DIGITS_OF_HASH]


def callers_not_heard_since(
    session: Session, group_id: int, since: datetime, limit: int
) -> list[PhoneNumber]:
    """Callers of a group whose last call to it is older than that, and whose numbers are still kept."""
    last = (
        select(Call.caller)
        .where(Call.group_id == group_id, Call.caller.is_not(None))
        .group_by(Call.caller)
        .having(func.max(Call.started_at) < since)
        .limit(limit)
    )
    return [caller for caller in session.scalars(last) if caller is not None]


def forget(session: Session, group_id: int, callers: Sequence[PhoneNumber], key: bytes) -> int:
    """Replace numbers by their hashes in all their calls to a group; return how many calls.

    Reports stay as they are: who rang is still told apart.
    """
    if not callers:
        return 0
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        session.execute(text("SELECT set_config('hookswitch.counts_stay', 'on', true)"))
    calls = session.execute(
        select(Call.id, Call.carrier, Call.call_sid, Call.caller).where(
            Call.group_id == group_id, Call.caller.in_(callers)
        )
    ).all()
    changed = [{"row_id": call.id, "hash": hash_of(call.caller, key)} for call in calls]
    session.connection().execute(
        update(Call.__table__)  # type: ignore[arg-type]  # declared as FromClause
        .where(Call.__table__.c.id == bindparam("row_id"))
        .values(caller=None, caller_hash=bindparam("hash"), forwarded_from=None),
        changed,
    )
    for call in calls:
        _scrub_events(session, call.carrier, call.call_sid, call.caller, "forgotten")
    forget_calls(session, [(call.carrier, call.call_sid) for call in calls])
    if is_postgresql:
        _rename_known(session, group_id, {caller.e164: hash_of(caller, key) for caller in callers})
        session.execute(text("SELECT set_config('hookswitch.counts_stay', 'off', true)"))
    return len(calls)


@dataclass(frozen=True, slots=True)
class Traces:
    """What the log has of a caller; `recordings` lie with the carrier."""

    calls: int
    recordings: list[str]


def traces(session: Session, number: PhoneNumber, key: bytes) -> Traces:
    found = session.execute(select(Call.id, Call.recording_sid).where(_rang(number, key))).all()
    return Traces(len(found), [row.recording_sid for row in found if row.recording_sid is not None])


def story_of(session: Session, number: PhoneNumber, key: bytes) -> Iterator[dict[str, Any]]:
    """Every call of a caller by the names of the columns, with what was reported of it under `events`."""
    for row in session.execute(select(*EXPORTED).where(_is_by(number, key)).order_by(Call.id)).mappings():
        events = session.scalars(
            select(LoggedEvent)
            .where(LoggedEvent.carrier == row["carrier"], LoggedEvent.call_sid == row["call_sid"])
            .order_by(LoggedEvent.id)
        )
        yield {**row, "events": [event.raw for event in events]}


def erase(session: Session, number: PhoneNumber, key: bytes) -> Traces:
    """Take a caller out of the log, hashes too: his calls stay, as calls of somebody unknown."""
    found = traces(session, number, key)
    calls = session.execute(select(Call.carrier, Call.call_sid).where(_is_by(number, key))).all()
    gone = dict.fromkeys(
        ("caller", "caller_hash", "caller_city", "caller_state", "recording_sid", "recording_url")
    )
    for whose, values in (
        (_rang(number, key), gone),
        (Call.forwarded_from == number, {"forwarded_from": None}),
    ):
        session.execute(update(Call).where(whose).values(values).execution_options(synchronize_session=False))
    for call in calls:
        _scrub_events(session, call.carrier, call.call_sid, number, "erased")
    forget_calls(session, [(call.carrier, call.call_sid) for call in calls])
    session.execute(
        delete(known_callers).where(known_callers.c.caller.in_([number.e164, hash_of(number, key)]))
    )
    return found


def _is_by(number: PhoneNumber, key: bytes) -> ColumnElement[bool]:
    return or_(_rang(number, key), Call.forwarded_from == number)


def _rang(number: PhoneNumber, key: bytes) -> ColumnElement[bool]:
    return or_(Call.caller == number, Call.caller_hash == hash_of(number, key))


def _scrub_events(session: Session, carrier: str, call_sid: str, number: PhoneNumber, word: str) -> None:
    """Put a word where a number stood in what the carrier sent."""
    of_call = select(LoggedEvent).where(LoggedEvent.carrier == carrier, LoggedEvent.call_sid == call_sid)
    for event in session.scalars(of_call):
        written = json.dumps(event.raw)
        scrubbed = written.replace(number.e164, word).replace(number.digits, word)
        if scrubbed != written:
            event.raw = json.loads(scrubbed)


def _rename_known(session: Session, group_id: int, hashes: Mapping[str, str]) -> None:
    """Who was forgotten before and came back is one caller again: the later of his first days is none."""
    known = known_callers
    of_group = known.c.group_id == group_id
    kept = set(session.scalars(select(known.c.caller).where(of_group, known.c.caller.in_(hashes.values()))))
    twice = [caller for caller, hashed in hashes.items() if hashed in kept]
    days = session.scalars(
        delete(known).where(of_group, known.c.caller.in_(twice)).returning(known.c.day)
    ).all()
    note_changes(session, days)
    renamed = [{"plain": caller, "hash": hashed} for caller, hashed in hashes.items() if hashed not in kept]
    if renamed:
        session.connection().execute(
            update(known)
            .where(of_group, known.c.caller == bindparam("plain"))
            .values(caller=bindparam("hash")),
            renamed,
        )

"""Complete the call log from the carrier's own records: ends that were not reported, calls that were lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from msgspec.structs import replace

from models.call_event import record_events
from models.database import Database
from models.reconciliation import (
    FoundCall,
    Holding,
    LoggedCall,
    holdings_of,
    lacking,
    logged,
    record_found,
)
from routing.disposition import Disposition, Witness, witness_of
from routing.events import CallEvent, CallUpdate, EventKind
from routing.numbers import PhoneNumber
from webhooks.carriers.carrier_call import CarrierCall
from webhooks.carriers.errors import Malformed

log = structlog.get_logger()

_AT_ONCE = 100
"""Calls that are written in one transaction; what a broken run has to do again."""


class CarrierAccount(Protocol):
    """What reconciling asks of a carrier; raises `CarrierUnavailable` and `CredentialsRefused`."""

    def calls(self, since: datetime, until: datetime) -> Iterator[Sequence[CarrierCall]]: ...
    def legs_of(self, call_sid: str) -> Sequence[CarrierCall]: ...
    def call(self, call_sid: str) -> CarrierCall | None:
        """None: the carrier does not have it. Raises `Malformed` where its record cannot be read."""


@dataclass(slots=True)
class Tally:
    """How many calls a run found to be what."""

    closed: int = 0
    """The log had them, but not their end, or not their arrival."""
    added: int = 0
    """The log did not have them."""
    still_on: int = 0
    """They had not ended by the end of the span; left for a later run."""
    unknown: int = 0
    """The log has them, the carrier does not."""
    elsewhere: int = 0
    """Calls of the same account to numbers that were not ours."""

    @property
    def changed(self) -> int:
        return self.closed + self.added + self.unknown


class Reconciler:
    """Compares the calls that began in [`since`, `until`) and had ended by `until`. Aware UTC.

    Raises what the carrier's account and the database raise; what was written until then stays, and
    the next run goes on. A second run, or one beside it, changes nothing: what is written are events
    with keys of their own, which add up like the carrier's reports (routing.events).
    """

    def __init__(
        self,
        account: CarrierAccount,
        database: Database,
        *,
        carrier: str,
        since: datetime,
        until: datetime,
        now: datetime,
        progress: Callable[[int], object] = lambda _calls: None,
    ) -> None:
        """`progress` hears how many more calls were looked at; what it raises ends the run."""
        self._account = account
        self._database = database
        self._carrier = carrier
        self._since = since
        self._until = until
        self._now = now
        self._progress = progress
        self._on: set[str] = set()
        self.tally = Tally()

    def run(self) -> Tally:
        """Go through the carrier's list, then ask for each call of the log that was not in it."""
        for page in self._account.calls(self._since, self._until):
            for start in range(0, len(page), _AT_ONCE):
                self._settle(page[start : start + _AT_ONCE])
                self._progress(min(_AT_ONCE, len(page) - start))
            self._progress(0)
        after = 0
        while rows := self._left_over(after):
            after = rows[-1].id
            asked = [row.call_sid for row in rows if row.call_sid not in self._on]
            self._settle([call for call_sid in asked if (call := self._asked_for(call_sid))])
        self.tally.still_on = len(self._on)
        return self.tally

    def _asked_for(self, call_sid: str) -> CarrierCall | None:
        """One call of the log as the carrier has it; None where it does not, or cannot say."""
        self._progress(1)
        try:
            call = self._account.call(call_sid)
        except Malformed as error:
            log.warning("reconcile.unreadable_record", call_sid=call_sid, error=str(error))
            return None
        if call is None or call.parent_sid is not None:
            self._note_unknown(call_sid)
            return None
        return call

    def _left_over(self, after: int) -> list[LoggedCall]:
        with self._database.reading() as session:
            return lacking(
                session,
                self._carrier,
                since=self._since,
                until=self._until,
                after=after,
                limit=_AT_ONCE,
            )

    def _settle(self, calls: Sequence[CarrierCall]) -> None:
        """Write down of each call what the log lacks."""
        with self._database.reading() as session:
            known = logged(session, self._carrier, [call.call_sid for call in calls])
            numbers = {call.dialled for call in calls if call.dialled is not None}
            holdings = holdings_of(session, numbers)
        found: list[FoundCall] = []
        events: list[CallEvent] = []
        for call in calls:
            row = known.get(call.call_sid)
            holding = _holding_at(call, holdings)
            if row is not None and not row.lacks_something:
                continue
            if row is None and holding is None:
                self.tally.elsewhere += 1
                continue
            if call.ended_at is None or call.ended_at >= self._until:
                self._on.add(call.call_sid)
                continue
            legs = self._account.legs_of(call.call_sid) if _wants_legs(row) else ()
            if row is None or row.decision is None:
                found.append(self._found(call, legs, holding))
            events += [_news(record.event(self._now), row) for record in (*legs, call)]
            if row is None:
                self.tally.added += 1
            else:
                self.tally.closed += 1
        self._write(found, events)

    def _found(self, call: CarrierCall, legs: Sequence[CarrierCall], holding: Holding | None) -> FoundCall:
        answered = [leg for leg in legs if leg.update.disposition is Disposition.COMPLETED]
        rung = next(iter([*answered, *legs]), None)
        return FoundCall(
            carrier=call.carrier,
            call_sid=call.call_sid,
            started_at=call.began_at,
            created_at=self._now,
            tracking_number=call.dialled,
            dialled_text=call.dialled_text or None,
            caller=call.caller,
            destination=None if rung is None else rung.dialled,
            group_id=None if holding is None else holding.group_id,
            campaign_id=None if holding is None else holding.campaign_id,
            campaign_external_id=None if holding is None else holding.campaign_external_id,
        )

    def _note_unknown(self, call_sid: str) -> None:
        """Mark the call as asked for, so that it is not asked for again."""
        asked = CallUpdate(reconciled_at=self._now)
        event = CallEvent(self._carrier, call_sid, EventKind.CALL, "record:none", None, self._now, asked)
        self._write([], [event])
        self.tally.unknown += 1

    def _write(self, found: Sequence[FoundCall], events: Sequence[CallEvent]) -> None:
        # Found calls first: until its events are there, such a row lacks something, and a run that
        # breaks off in between is made good by the next one.
        if found:
            with self._database.session() as session:
                record_found(session, found)
        if events:
            with self._database.session() as session:
                record_events(session, events)


def _holding_at(call: CarrierCall, holdings: dict[PhoneNumber, list[Holding]]) -> Holding | None:
    """Who held the dialled number when the call began; nobody did before it was entered here."""
    held = holdings.get(call.dialled, ()) if call.dialled is not None else ()
    return next((holding for holding in held if holding.since <= call.began_at), None)


def _wants_legs(row: LoggedCall | None) -> bool:
    """Whether it is worth asking for legs: not if none was dialled, nor if one reported its end."""
    if row is None:
        return True
    may_have_dialled = row.decision in {None, "connect"}
    return may_have_dialled and witness_of(row.disposition_rank) in {None, Witness.CALL}


def _news(event: CallEvent, row: LoggedCall | None) -> CallEvent:
    """Leave out instants that the log has: reports knew them as they happened, records only roughly."""
    if row is None:
        return event
    update = event.update
    return replace(
        event,
        update=replace(
            update,
            rang_at=None if row.rang_at else update.rang_at,
            answered_at=None if row.answered_at else update.answered_at,
            ended_at=None if row.ended_at else update.ended_at,
        ),
    )

"""Lay the carrier's numbers, ours and those of the index side by side, and mend what is safe to mend.

The carrier's list is copied to disk in order; from then on both sides are read in steps of the same
numbers, a thousand at a time, so that any number of them takes the same memory.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from models.call_usage import CARRIER_LOOKS_BACK, NEVER, usage
from models.campaign import Campaign
from models.database import Database
from models.number_order import numbers_under_way
from models.number_release import in_quarantine
from models.routes import held_or_released, number_facts
from models.tracking_number import NumberStatus, TrackingNumber
from routing.index.audit import IndexAudit
from routing.index.batching import BATCH, in_batches
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from scripts.carrier_copy import CarrierCopy
from scripts.discrepancies import Discrepancy, Kind
from webhooks.carriers.carrier_number import OwnedNumber, VoiceAddresses

AT_ONCE = 8
"""Requests to the carrier, at most."""


class ListingCarrier(Protocol):
    """What reconciling needs of a carrier; errors are those of webhooks/carriers/errors.py."""

    @property
    def name(self) -> str: ...
    def all(self) -> Iterator[Sequence[OwnedNumber]]: ...
    def configure(
        self, sid: str, label: str | None, addresses: VoiceAddresses, *, detach: bool
    ) -> OwnedNumber | None: ...


@dataclass(frozen=True, slots=True)
class Mending:
    """What may be changed: nothing, what is safe, or also what sends calls elsewhere on purpose."""

    apply: bool = False
    detach: bool = False


@dataclass(frozen=True, slots=True)
class _Pair:
    """A number at the carrier, here, or both."""

    number: PhoneNumber
    owned: OwnedNumber | None
    held: TrackingNumber | None
    archived: bool = False


class NumberReconciler:
    """Yields discrepancies as they are found. Raises what the stores and the carrier raise."""

    def __init__(
        self,
        carrier: ListingCarrier,
        database: Database,
        audit: IndexAudit,
        writer: IndexWriter,
        addresses: VoiceAddresses,
        *,
        now: datetime,
        mending: Mending,
        progress: Callable[[int], object] = lambda _numbers: None,
    ) -> None:
        self._carrier = carrier
        self._database = database
        self._audit = audit
        self._writer = writer
        self._addresses = addresses
        self._now = now
        self._mending = mending
        self._progress = progress

    def run(self) -> Iterator[Discrepancy]:
        """Compare everything, number by number in their order."""
        with CarrierCopy() as copy:
            for page in self._carrier.all():
                copy.add(page)
            for pairs in in_batches(_side_by_side(copy.in_order(), self._held())):
                yield from self._compared(pairs)
                self._progress(len(pairs))

    def _held(self) -> Iterator[tuple[TrackingNumber, bool]]:
        """Ours in order, and whether the campaign is archived.

        Those that came after the run began are left out: the carrier's list may be older.
        """
        place = type_coerce(TrackingNumber.number, Text)
        if self._database.is_postgresql:
            place = place.collate("C")  # type: ignore[assignment]
        statement = (
            select(TrackingNumber, Campaign.archived_at.is_not(None))
            .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
            .where(TrackingNumber.status == NumberStatus.ACTIVE)
            .where(TrackingNumber.carrier == self._carrier.name, TrackingNumber.created_at < self._now)
            .order_by(place)
            .limit(BATCH)
        )
        last = ""
        while True:
            with self._database.reading() as session:
                found = session.execute(statement.where(place > last)).all()
            for held, archived in found:
                yield held, bool(archived)
            if len(found) < BATCH:
                return
            last = found[-1][0].number.e164

    def _compared(self, pairs: list[_Pair]) -> Iterator[Discrepancy]:
        with self._database.reading() as session:
            yield from self._paid_for_nothing(session, pairs)
            yield from self._too_little_used(session, pairs)
        for pair in pairs:
            if pair.owned is None:
                yield Discrepancy(pair.number, Kind.NOT_OWNED)
        yield from self._set_up_wrongly([pair for pair in pairs if pair.owned and pair.held])
        yield from self._not_in_the_index([pair.held for pair in pairs if pair.held is not None])
        yield from self._other_sids(pairs)

    def _paid_for_nothing(self, session: Session, pairs: list[_Pair]) -> Iterator[Discrepancy]:
        strangers = [pair.number for pair in pairs if pair.held is None]
        known = held_or_released(session, [number.e164 for number in strangers])
        resting = in_quarantine(session, strangers)
        coming = numbers_under_way(session, strangers)
        for number in strangers:
            if number in coming:
                yield Discrepancy(number, Kind.UNFINISHED)
            elif number.e164 not in known:
                yield Discrepancy(number, Kind.NOT_OURS)
            elif number not in resting:
                yield Discrepancy(number, Kind.RELEASED)
        for pair in pairs:
            if pair.owned is not None and pair.held is not None:
                if pair.held.campaign_id is None:
                    yield Discrepancy(pair.number, Kind.UNUSED, "it is on no campaign")
                elif pair.archived:
                    detail = f"its campaign {pair.held.campaign_id} is archived"
                    yield Discrepancy(pair.number, Kind.UNUSED, detail)

    def _too_little_used(self, session: Session, pairs: list[_Pair]) -> Iterator[Discrepancy]:
        since = self._now - CARRIER_LOOKS_BACK
        settled = [p.number for p in pairs if p.owned and p.held and p.held.created_at < since]
        used = usage(session, settled, self._now)
        for number in settled:
            calls = used.get(number, NEVER)
            if calls.may_be_taken_back:
                detail = f"{calls.long_calls} calls of 12 s or more in {CARRIER_LOOKS_BACK.days} days"
                yield Discrepancy(number, Kind.LITTLE_USED, detail)

    def _set_up_wrongly(self, pairs: list[_Pair]) -> Iterator[Discrepancy]:
        wrong = [
            pair.owned for pair in pairs if pair.owned and not pair.owned.is_answered_by(self._addresses)
        ]
        if not self._mending.apply:
            for owned in wrong:
                yield from self._wrong_with(owned)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for owned, read_back in zip(wrong, pool.map(self._mend, wrong), strict=True):
                for found in self._wrong_with(owned):
                    left = () if read_back is None else self._wrong_with(read_back)
                    same = next((d for d in left if d.kind is found.kind), None)
                    yield found.as_mended(done=same is None and read_back is not None)

    def _mend(self, owned: OwnedNumber) -> OwnedNumber | None:
        if not (owned.differs_from(self._addresses) or self._mending.detach):
            return owned
        return self._carrier.configure(owned.sid, None, self._addresses, detach=self._mending.detach)

    def _wrong_with(self, owned: OwnedNumber) -> Iterator[Discrepancy]:
        if wrong := owned.differs_from(self._addresses):
            yield Discrepancy(owned.number, Kind.WRONG_ADDRESS, ", ".join(wrong))
        if owned.application or owned.trunk:
            thing = f"application {owned.application}" if owned.application else f"trunk {owned.trunk}"
            yield Discrepancy(owned.number, Kind.DIVERTED, thing)

    def _other_sids(self, pairs: list[_Pair]) -> Iterator[Discrepancy]:
        for pair in pairs:
            if pair.owned is None or pair.held is None or pair.held.carrier_sid == pair.owned.sid:
                continue
            if self._mending.apply:
                self._write_sid(pair.held.id, pair.owned.sid)
            detail = f"{pair.held.carrier_sid or 'none'} here, {pair.owned.sid} at the carrier"
            yield Discrepancy(pair.number, Kind.OTHER_SID, detail, mended=self._mending.apply)

    def _write_sid(self, number_id: int, sid: str) -> None:
        with self._database.session() as session:
            session.get_one(TrackingNumber, number_id, with_for_update=True).carrier_sid = sid
        with self._database.reading() as session:
            # Its revision is another now.
            self._writer.put_numbers(number_facts(session, [number_id]).values())

    def _not_in_the_index(self, held: list[TrackingNumber]) -> Iterator[Discrepancy]:
        with self._database.reading() as session:
            facts = list(number_facts(session, [number.id for number in held]).values())
        faults = self._audit.faults(facts)
        wrong = [f for f, fault in zip(facts, faults, strict=True) if fault is not None]
        left = faults
        if self._mending.apply and wrong:
            self._writer.put_numbers(wrong)
            left = self._audit.faults(facts)
        for number, fault, still in zip(facts, faults, left, strict=True):
            if fault is not None:
                mended = self._mending.apply and still is None
                yield Discrepancy(number.number, Kind.INDEX, fault.value, mended=mended)


def _side_by_side(
    owned: Iterator[OwnedNumber], held: Iterator[tuple[TrackingNumber, bool]]
) -> Iterator[_Pair]:
    """Two lists in the order of their numbers, as one list of pairs."""
    theirs, ours = next(owned, None), next(held, None)
    while theirs is not None or ours is not None:
        number = min(side.number for side in (theirs, ours and ours[0]) if side)
        pair = _Pair(
            number,
            theirs if theirs and theirs.number == number else None,
            ours[0] if ours and ours[0].number == number else None,
            archived=bool(ours and ours[1]),
        )
        yield pair
        theirs = theirs if pair.owned is None else next(owned, None)
        ours = ours if pair.held is None else next(held, None)

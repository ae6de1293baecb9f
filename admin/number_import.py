"""Numbers that are ours already, taken over from a table: everything is checked before anything is held."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.drafts import Reading
from admin.errors import Conflict, FieldError
from admin.number_filling import Filled, Filling
from models.campaign import Campaign
from models.tracking_number import NumberStatus, NumberTaken, TrackingNumber, hold
from routing.destinations import UnfitDestination
from routing.index.batching import in_batches
from routing.numbers import PhoneNumber

COLUMNS = (
    *("number", "campaign_id", "campaign_external_id", "group_id", "name", "destination", "whisper"),
    *("ring_timeout", "record_calls", "caller_id", "carrier", "carrier_sid"),
)
"""What a table may have; only `number` is a must. An empty cell leaves the matter to the group's defaults."""

_WHOLE = frozenset({"campaign_id", "group_id", "ring_timeout"})
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SOME_DIGITS = re.compile(r"\d{1,18}", re.ASCII)
_SPOILED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+", re.ASCII)

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: in which line it begins, and its cells by column."""

    line: int
    cells: Cells
    error: str = ""
    """Why it is no row at all; empty: it is one."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and everything that is wrong with it."""

    row: Row
    errors: tuple[FieldError, ...]


@dataclass(slots=True)
class Imported:
    """What became of the rows."""

    created: int = 0
    unchanged: int = 0
    """They were held already, just so."""
    rejected: list[Rejected] = field(default_factory=list)


def import_numbers(
    session: Session,
    actor: Actor,
    rows: Iterable[Row],
    *,
    skip_bad: bool = False,
    progress: Callable[[int], object] = lambda _rows: None,
) -> Imported:
    """Hold the numbers of all rows; if any is rejected none, unless `skip_bad`.

    Repeating it changes nothing. Raises `NotAllowed`, and `Conflict` where somebody else was faster.
    """
    actor.require_writing()
    reader = _Reader(session, actor)
    for row in rows:
        reader.read(row)
        progress(1)
    imported = Imported()
    new = reader.new_ones(imported)
    if imported.rejected and not skip_bad:
        return imported
    try:
        _hold(session, new)
    except NumberTaken as taken:
        told = f"{len(taken.numbers)} of the numbers were taken meanwhile; nothing was imported, try again"
        raise Conflict("number", told) from None
    except UnfitDestination as error:
        raise Conflict("destination", str(error)) from None
    imported.created = len(new)
    return imported


@dataclass(slots=True)
class _Candidate:
    row: Row
    reading: Reading
    sent: dict[str, Any]
    filled: Filled


class _Reader:
    """Reads rows into numbers as they shall be held; what they have in common is looked up once."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._filling = Filling(session, actor)
        self._candidates: list[_Candidate] = []
        self._externals: dict[str, int | str] = {}
        self._groups: dict[int, bool] = {}

    def read(self, row: Row) -> None:
        reading = Reading()
        raw: dict[str, Any] = {}
        if row.error:
            reading.add("", row.error)
            filled = Filled(f"{row.line}.", {})
        else:
            raw = self._raw(row.cells, reading)
            wrong = reading.errors
            filled = Filled(f"{row.line}.", self._filling.fill(raw, "", reading).fields)
            if wrong:
                filled = Filled(f"{row.line}.", {})
        self._candidates.append(_Candidate(row, reading, raw, filled))

    def new_ones(self, imported: Imported) -> list[TrackingNumber]:
        """The numbers that are to be held; counts and rejects the others."""
        self._refuse_repetitions()
        self._refuse_own_numbers()
        new = []
        for some in in_batches(self._candidates):
            held = self._held([one.filled.fields["number"] for one in some if not one.reading.errors])
            for one in some:
                there = held.get(one.filled.fields.get("number"))
                if there is not None:
                    self._compare(one, there)
                if one.reading.errors:
                    imported.rejected.append(Rejected(one.row, one.reading.errors))
                elif there is not None:
                    imported.unchanged += 1
                else:
                    new.append(TrackingNumber(**one.filled.fields))
        return new

    def _raw(self, cells: Cells, reading: Reading) -> dict[str, Any]:
        """The cells as a draft of a number: typed, and without the empty ones."""
        raw: dict[str, Any] = {}
        for name, text in cells.items():
            value = text.strip()
            if not value:
                continue
            if name == "campaign_external_id":
                found = self._campaign(value)
                if isinstance(found, str):
                    reading.add(name, found)
                else:
                    raw["campaign_id"] = found
            elif name in _WHOLE:
                raw[name] = int(value) if _SOME_DIGITS.fullmatch(value) else value
            elif name == "record_calls":
                raw[name] = _YES_OR_NO.get(value.lower(), value)
            elif name in {"number", "destination"}:
                raw[name] = _unspoiled(name, value, reading)
            else:
                raw[name] = value
        return raw

    def _campaign(self, external_id: str) -> int | str:
        """The id of the campaign that is called so elsewhere, or what is wrong."""
        if external_id not in self._externals:
            visible = Campaign.group_id.in_(self._actor.visible_groups())
            wanted = select(Campaign.id).where(Campaign.external_id == external_id, visible)
            found = self._session.scalars(wanted.limit(2)).all()
            if len(found) == 1:
                self._externals[external_id] = found[0]
            else:
                several = "several campaigns have this external ID; give the campaign_id"
                self._externals[external_id] = several if found else "no campaign has this external ID"
        return self._externals[external_id]

    def _refuse_repetitions(self) -> None:
        first: dict[PhoneNumber, int] = {}
        for one in self._candidates:
            number = one.filled.fields.get("number")
            if number in first:
                one.reading.add("number", f"stands in line {first[number]} already")
            elif number is not None:
                first[number] = one.row.line

    def _refuse_own_numbers(self) -> None:
        found = Reading()
        by_line = {one.row.line: one for one in self._candidates}
        for some in in_batches(self._candidates):
            self._filling.refuse_own_numbers([one.filled for one in some], found)
        for error in found.errors:
            line, _, name = error.field.partition(".")
            by_line[int(line)].reading.add(name, error.message)

    def _held(self, numbers: Sequence[PhoneNumber]) -> dict[PhoneNumber | None, TrackingNumber]:
        active = TrackingNumber.status == NumberStatus.ACTIVE
        found = self._session.scalars(
            select(TrackingNumber).where(TrackingNumber.number.in_(numbers), active)
        )
        return {number.number: number for number in found}

    def _compare(self, one: _Candidate, there: TrackingNumber) -> None:
        """A number that is held already is all right if it is held just so."""
        if not self._sees(there.group_id):
            one.reading.add("number", "is held already")
            return
        told = {"campaign_id", "group_id"} | (one.sent.keys() & one.filled.fields.keys())
        other = [name for name in sorted(told) if getattr(there, name) != one.filled.fields[name]]
        if other:
            one.reading.add("number", f"is held already, with another {', '.join(other)}; change it there")

    def _sees(self, group_id: int) -> bool:
        if group_id not in self._groups:
            self._groups[group_id] = sees_group(self._session, self._actor, group_id)
        return self._groups[group_id]


def _unspoiled(name: str, value: str, reading: Reading) -> str:
    if _SPOILED.fullmatch(value):
        reading.add(name, "was spoiled by a spreadsheet; make the column text and write the number again")
    return value.removeprefix("'")  # what a spreadsheet puts before text


def _hold(session: Session, new: Sequence[TrackingNumber]) -> None:
    # In the order of the numbers: two imports of the same ones wait for, and never block, each other.
    for some in in_batches(sorted(new, key=lambda holding: holding.number)):
        hold(session, some)
    _stay_with_campaigns(session, new)


def _stay_with_campaigns(session: Session, new: Sequence[TrackingNumber]) -> None:
    """Follow campaigns to another group if they were moved while we wrote."""
    ids = {holding.campaign_id for holding in new} - {None}
    groups: dict[int | None, int] = {}
    for some in in_batches(sorted(ids, key=str)):
        found = session.execute(select(Campaign.id, Campaign.group_id).where(Campaign.id.in_(some)))
        groups.update((campaign_id, group_id) for campaign_id, group_id in found)
    for holding in new:
        if groups.get(holding.campaign_id, holding.group_id) != holding.group_id:
            holding.group_id = groups[holding.campaign_id]
    session.flush()

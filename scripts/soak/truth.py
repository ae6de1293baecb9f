"""What is right to hear at each instant, known apart from the engine that is tested.

An edit is in force from its commit and has to be heard by every call that begins a second later; until
then the answer before it is right as well. Where a store was in trouble meanwhile, the second counts
from the end of the trouble, with a few more for those that have to notice. While neither store could be
asked, what held at any time in the last two minutes is right: that is what the last-known copy promises.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from scripts.soak.answers import APOLOGY, REJECTED, Answer

PROMISED = 1.0
"""Seconds from an edit's commit until every call hears of it."""
_CATCH_UP = 5.0
"""Seconds after a trouble within which what waited has reached the index."""
_OLDEST_COPY = 120.0
"""Seconds: the copy is renewed each minute, and its renewal may fail once."""
_NEAR = 10.0
"""Seconds around a call in which a fault may have to do with it."""
_AFTERMATH = 3.0
"""Seconds after a trouble in which a process may not yet ask the store again."""


class Store(StrEnum):
    REDIS = "redis"
    SQL = "sql"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that was played from `began` to `ended`, by the monotonic clock."""

    name: str
    stores: frozenset[Store]
    """Empty where a program was in trouble."""
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Edit:
    """Callers may hear `answer` from `begun` on; at `committed` it was certainly committed."""

    answer: Answer
    begun: float
    committed: float


@dataclass(frozen=True, slots=True)
class _Valid:
    """An answer that calls may hear that are answered after `begun` and were sent before `until`."""

    answer: Answer
    begun: float
    until: float


@dataclass(slots=True)
class Truth:
    """The right answers; a number that is neither `fixed` nor edited is unknown.

    Asked only when all is over: no edit and no trouble may be added after the first question.
    """

    fixed: dict[str, Answer]
    edits: dict[str, list[Edit]] = field(default_factory=lambda: defaultdict(list))
    troubles: list[Trouble] = field(default_factory=list)
    _valid: dict[str, list[_Valid]] = field(default_factory=dict)

    def right(self, number: str, sent: float, answered: float) -> set[Answer]:
        """All answers that a call may have heard that was sent and answered at these instants."""
        if number in self.fixed:
            return {self.fixed[number]}
        in_the_dark = self._in_the_dark(sent, answered)
        if number not in self.edits:
            # A number that the copy does not list could be younger than the copy.
            return {REJECTED, APOLOGY} if in_the_dark else {REJECTED}
        since = sent - _OLDEST_COPY if in_the_dark else sent
        return {one.answer for one in self._validity(number) if one.begun <= answered and since <= one.until}

    def around(self, sent: float, answered: float) -> str:
        """Which faults were played near a call, and when, seen from its sending."""
        near = (one for one in self.troubles if _touches([one], sent - _NEAR, answered + _NEAR))
        told = [f"{one.name} from {one.began - sent:+.1f} s to {one.ended - sent:+.1f} s" for one in near]
        return ", ".join(told) or "no fault"

    def _validity(self, number: str) -> list[_Valid]:
        """When each answer of a number was right; worked out once, when all edits and troubles are known."""
        if number not in self._valid:
            valid: list[_Valid] = []
            until = inf
            for edit in reversed(self.edits[number]):
                valid.append(_Valid(edit.answer, edit.begun, until))
                until = min(until, self._settled(edit))
            self._valid[number] = valid
        return self._valid[number]

    def _settled(self, edit: Edit) -> float:
        """When every call hears of an edit."""
        settled = edit.committed + PROMISED
        for trouble in sorted(self.troubles, key=lambda one: one.began):
            if trouble.stores and trouble.began <= settled and trouble.ended + _AFTERMATH >= edit.begun:
                settled = max(settled, trouble.ended + _CATCH_UP)
        return settled

    def _in_the_dark(self, sent: float, answered: float) -> bool:
        """Whether both stores may have been out of reach for one of the processes at that time."""
        return all(_touches(self._of(store), sent - _AFTERMATH, answered) for store in Store)

    def _of(self, store: Store) -> Iterator[Trouble]:
        return (trouble for trouble in self.troubles if store in trouble.stores)


def _touches(troubles: Iterable[Trouble], began: float, ended: float) -> bool:
    return any(trouble.began <= ended and trouble.ended >= began for trouble in troubles)

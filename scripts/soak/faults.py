"""What goes wrong, drawn by chance but repeatably: one fault at a time, each followed by a calm."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.soak.fault_proxy import Fault
from scripts.soak.premises import Premises
from scripts.soak.truth import Store, Trouble

_TEND_EVERY = 0.25
_PAUSES = {Fault.LATENCY: (0.05, 0.2, 0.3, 0.6), Fault.SLOW: (0.05, 0.2)}
"""Seconds, some just short of what a caller is made to wait, some just beyond."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The shortest and the longest fault, and the shortest and the longest calm after it, in seconds."""

    fault: tuple[float, float] = (2.0, 6.0)
    calm: tuple[float, float] = (2.0, 4.0)


UNHURRIED = Pace()


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault by name; these stores are in trouble while it lasts."""

    name: str
    stores: frozenset[Store] = frozenset()
    line: Fault | None = None
    """What the proxies before the stores play; None: the name says what is done to a process."""


def kinds(freezable: set[Store]) -> list[Kind]:
    """All faults that there are, in the order of their names."""
    redis, sql = frozenset({Store.REDIS}), frozenset({Store.SQL})
    found = [
        Kind(f"{fault} on {name}", stores, fault)
        for name, stores in (("Redis", redis), ("SQL", sql), ("both", redis | sql))
        for fault in Fault
        if fault is not Fault.OK
    ]
    found += [Kind("kill Redis", redis), Kind("kill a web process"), Kind("kill a worker")]
    found += [Kind("rolling restart of the web")]
    found += [Kind(f"freeze {store}", frozenset({store})) for store in freezable]
    if freezable == set(Store):
        found.append(Kind("freeze both", redis | sql))
    return sorted(found, key=lambda kind: kind.name)


class Faults:
    """Plays `wanted` faults on the premises; every one of them comes before any comes again."""

    def __init__(
        self,
        premises: Premises,
        chance: random.Random,
        wanted: list[Kind],
        pace: Pace,
        tend: Callable[[], None],
    ) -> None:
        self.troubles: list[Trouble] = []
        self._premises = premises
        self._chance = chance
        self._wanted = wanted
        self._pace = pace
        self._tend = tend

    def run(self, seconds: float) -> None:
        """Return after `seconds`, or after the fault that was under way then; all is well again."""
        until = time.monotonic() + seconds
        deck: list[Kind] = []
        self._wait(self._chance.uniform(*self._pace.calm))
        while time.monotonic() < until:
            deck = deck or self._chance.sample(self._wanted, len(self._wanted))
            kind = deck.pop()
            began = time.monotonic()
            with self._fault(kind):
                self._wait(self._chance.uniform(*self._pace.fault))
            self.troubles.append(Trouble(kind.name, kind.stores, began, time.monotonic()))
            self._wait(self._chance.uniform(*self._pace.calm))

    @contextmanager
    def _fault(self, kind: Kind) -> Iterator[None]:
        lines = [self._premises.lines[store] for store in sorted(kind.stores)]
        try:
            if kind.line is not None:
                pause = self._chance.choice(_PAUSES.get(kind.line, (0.0,)))
                for line in lines:
                    line.turn(kind.line, pause)
            else:
                self._do(kind)
            yield
        finally:
            for line in lines:
                line.turn(Fault.OK)
            self._premises.thaw()
            if kind.name == "kill Redis":
                self._premises.start_redis()

    def _do(self, kind: Kind) -> None:
        match kind.name:
            case "kill Redis":
                self._premises.kill_redis()
            case "kill a web process":
                self._premises.web.kill_one()
            case "kill a worker":
                self._premises.workers.kill_one()
            case "rolling restart of the web":
                self._premises.web.restart()
            case _:
                for store in kind.stores:
                    self._premises.freeze(store)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._tend()
            time.sleep(min(left, _TEND_EVERY))

"""Does memory stay flat? Each process is compared with itself, once it is warm and at its end."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scripts.bench.processes import resident_bytes

_SAMPLE_EVERY = 5.0
_WARM_AFTER = 60.0
"""Seconds: until then pools fill, caches fill, and late imports happen."""
_LONG_ENOUGH = 60.0
"""Seconds between the two looks; with less a growth says nothing."""
_MOST_GROWTH = 10_000_000
_MOST_SHARE = 0.15


@dataclass(slots=True)
class Process:
    """One process of a kind; sizes in bytes, instants by the monotonic clock."""

    kind: str
    pid: int
    first_seen: float
    warm: int | None = None
    warm_at: float = 0.0
    last: int = 0
    last_at: float = 0.0

    @property
    def is_judged(self) -> bool:
        return self.warm is not None and self.last_at - self.warm_at >= _LONG_ENOUGH

    @property
    def growth(self) -> int:
        return 0 if self.warm is None else self.last - self.warm

    @property
    def is_flat(self) -> bool:
        return self.warm is None or (self.growth < _MOST_GROWTH and self.growth < _MOST_SHARE * self.warm)


class Memory:
    """Looks now and then at all processes that are there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock()
        self._processes: dict[int, Process] = {}

    def look(
        self, pids: Callable[[], Mapping[str, Sequence[int]]], size: Callable[[int], int] = resident_bytes
    ) -> None:
        """Take a sample of each process if it is time; `pids` tells them by kind."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _SAMPLE_EVERY
        for kind, of_kind in pids().items():
            for pid in of_kind:
                try:
                    self._note(kind, pid, size(pid), now)
                except (OSError, ProcessLookupError):
                    continue  # it was killed meanwhile

    def judged(self) -> list[Process]:
        """The processes that lived long enough to say something."""
        return [process for process in self._processes.values() if process.is_judged]

    def _note(self, kind: str, pid: int, resident: int, now: float) -> None:
        process = self._processes.setdefault(pid, Process(kind, pid, now))
        process.last, process.last_at = resident, now
        if process.warm is None and now - process.first_seen >= _WARM_AFTER:
            process.warm, process.warm_at = resident, now

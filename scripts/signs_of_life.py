"""Signs of life that the workers of a host leave there: when each of their loops last did a round."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from routing.durable import private_folder

_AT_MOST_EVERY = 1.0
"""Seconds."""


class SignsOfLife:
    """Empty files named after the loops; their time is the sign. All workers of a host share them."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._next: dict[str, float] = {}

    def leave(self, loop: str) -> None:
        """Note that a round went well; never fails, since the round did not."""
        now = self._clock()
        if now < self._next.get(loop, now):
            return
        self._next[loop] = now + _AT_MOST_EVERY
        with suppress(OSError):
            private_folder(self._folder)
            sign = self._folder / loop
            sign.touch(mode=0o600)
            os.utime(sign)

    def seen(self) -> Iterator[tuple[str, float]]:
        """Each loop of which there is a sign, and when that was left, in seconds since 1970."""
        if self._folder.is_dir():
            for sign in sorted(self._folder.iterdir()):
                yield sign.name, sign.stat().st_mtime

"""What the worker does for reports: it keeps the roll-ups right."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from models.database import Database
from models.reporting.roller import bring_up_to_date

_EVERY = 15.0
"""Seconds. What has changed since is read from the log."""
_SHARE = 10
"""A round that took long is followed by a pause this many times as long."""


class ReportKeeper:
    """Raises what the database raises, and what `pause` raises."""

    def __init__(
        self,
        database: Database,
        *,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause` is asked after each day whether to go on."""
        self._database = database
        self._pause = pause
        self._clock = clock
        self._next = clock()

    def keep(self) -> None:
        """One round, if it is time again."""
        began = self._clock()
        if began < self._next:
            return
        bring_up_to_date(self._database, datetime.now(UTC), lambda _days: self._pause(0))
        spent = self._clock() - began
        self._next = self._clock() + max(_EVERY, spent * _SHARE)

"""What the worker throws away: answers, failures, sessions, links and deliveries, once they are old."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from admin.access.links import forget_links
from admin.access.sessions import forget_sessions
from admin.access.throttle import FORGOTTEN_AFTER
from models.database import Database
from models.idempotency import forget_answers
from models.sign_in import forget_failures
from models.webhook_delivery import KEPT_FOR, forget_deliveries

_EVERY = 600.0
"""Seconds."""


class Sweeper:
    """Sweeps now and then. Raises what the database raises."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._next = clock()

    def sweep(self, now: datetime | None = None) -> None:
        """Sweep, if it is time again."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY
        at = now or datetime.now(UTC)
        with self._database.session() as session:
            forget_answers(session, at)
            forget_failures(session, at - FORGOTTEN_AFTER)
            forget_sessions(session, at)
            forget_links(session, at)
        forgotten = True
        while forgotten:
            with self._database.session() as session:
                forgotten = forget_deliveries(session, at - KEPT_FOR) > 0

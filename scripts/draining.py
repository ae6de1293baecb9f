"""Move calls, and what became of them, from the journal into the call log."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import redis
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from models import call_log
from models.database import Database
from prompts.phrases import CONSENT_VERSION
from routing.journal import Entry, Journal
from routing.recorder import Happening

BATCH = 2_000
"""Entries: what is written at once holds its rows for some 100 ms, and adds up what is said of one call."""
_ABANDONED_AFTER_MS = 10_000
"""A worker that has not acknowledged for this long is dead: a batch takes well under a second."""
_CLAIM_EVERY = 1.0
"""Seconds between two looks for entries of the dead."""

log = structlog.get_logger()


class Drain:
    """One consumer of the journal. Raises what Redis and the database raise; nothing is lost by it.

    Entries are acknowledged after their rows are committed. Whatever dies in between leaves them
    with the journal, and writing a row again changes nothing. An entry that cannot be read, or whose
    row the database refuses, is set aside and holds up no other. While a full batch is written, a
    thread reads and decodes the next one.
    """

    def __init__(
        self,
        journal: Journal,
        database: Database,
        consumer: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._database = database
        self._consumer = consumer
        self._opened = False
        self._in_hand: list[Entry] = []
        self._clock = clock
        self._next_claim = clock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._ahead: Future[list[Entry]] | None = None
        self._reads_ahead = True

    def drain(self, wait_ms: int) -> int:
        """Write what is waiting, or wait up to `wait_ms` for something; return how many entries."""
        if not self._in_hand:
            self._in_hand = self._next(wait_ms)
        entries = self._in_hand
        if len(entries) >= BATCH and self._ahead is None and self._reads_ahead:
            self._ahead = self._reader.submit(self._take, 0)
        readable = [(entry, entry.happening) for entry in entries if entry.happening is not None]
        refused = log_happenings(self._database, [happening for _, happening in readable])
        for entry in entries:
            if entry.happening is None:
                log.error("journal.unreadable_entry", entry=entry.entry_id.decode())
                self._journal.set_aside(entry)
        for position, reason in refused.items():
            entry = readable[position][0]
            log.error("journal.refused_entry", entry=entry.entry_id.decode(), error=reason)
            self._journal.set_aside(entry)
        self._journal.acknowledge(entries)
        self._in_hand = []
        return len(entries)

    def finish(self) -> None:
        """Write what was taken already, and take no more: nobody then has to take it over."""
        self._reads_ahead = False
        while self._in_hand or self._ahead:
            self.drain(0)

    def _next(self, wait_ms: int) -> list[Entry]:
        ahead, self._ahead = self._ahead, None
        return self._take(wait_ms) if ahead is None else ahead.result()

    def _take(self, wait_ms: int) -> list[Entry]:
        try:
            if not self._opened:
                self._journal.open()
                self._opened = True
            return self._abandoned() or self._journal.read(self._consumer, BATCH, wait_ms)
        except redis.ResponseError:  # the group is gone: Redis was emptied, or replaced by another
            self._opened = False
            raise

    def _abandoned(self) -> list[Entry]:
        """Entries that a dead worker left, when it is time to look for them, until there are none."""
        if (now := self._clock()) < self._next_claim:
            return []
        found = self._journal.claim(self._consumer, _ABANDONED_AFTER_MS, BATCH)
        if not found:
            self._next_claim = now + _CLAIM_EVERY
        return found


def log_happenings(database: Database, happenings: Sequence[Happening], first: int = 0) -> dict[int, str]:
    """Write to the log all that the database takes; return the positions of the others, and why.

    Positions count from `first`. Raises what a database raises that is away.
    """
    if not happenings:
        return {}
    try:
        call_log.record(database, happenings, datetime.now(UTC), CONSENT_VERSION)
    except (StatementError, ValueError, OverflowError) as error:
        if not _is_refusal(error):
            raise
        if len(happenings) == 1:
            return {first: type(getattr(error, "orig", None) or error).__name__}
        half = len(happenings) // 2
        return log_happenings(database, happenings[:half], first) | log_happenings(
            database, happenings[half:], first + half
        )
    return {}


def _is_refusal(error: Exception) -> bool:
    """Whether an error is about the row that was offered, so that another row may be taken.

    A database that is away, or has another schema, is not the row's fault. A value that does not
    even reach the database is: the driver, or the mapping of the column, could not take it.
    """
    match error:
        case DataError() | IntegrityError():
            return True
        case DBAPIError():
            return False
        case _:
            return True

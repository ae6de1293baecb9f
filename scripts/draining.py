"""Move calls from the journal into the call log."""

from datetime import UTC, datetime

import redis
import structlog

from models import call_log
from models.database import Database
from routing.journal import Entry, Journal

BATCH = 500
_ABANDONED_AFTER_MS = 10_000
"""A worker that has not acknowledged for this long is dead: a batch takes well under a second."""

log = structlog.get_logger()


class Drain:
    """One consumer of the journal. Raises what Redis and the database raise; nothing is lost by it.

    Entries are acknowledged after their rows are committed. Whatever dies in between leaves them
    with the journal, and writing a row again changes nothing.
    """

    def __init__(self, journal: Journal, database: Database, consumer: str) -> None:
        self._journal = journal
        self._database = database
        self._consumer = consumer
        self._opened = False
        self._in_hand: list[Entry] = []

    def drain(self, wait_ms: int) -> int:
        """Write what is waiting, or wait up to `wait_ms` for something; return how many entries."""
        if not self._in_hand:
            self._in_hand = self._take(wait_ms)
        entries = self._in_hand
        arrivals = [entry.arrival for entry in entries if entry.arrival is not None]
        if arrivals:
            with self._database.session() as session:
                call_log.record(session, arrivals, datetime.now(UTC))
        for entry in entries:
            if entry.arrival is None:
                log.error("journal.unreadable_entry", entry=entry.entry_id.decode())
                self._journal.set_aside(entry)
        self._journal.acknowledge(entries)
        self._in_hand = []
        return len(entries)

    def _take(self, wait_ms: int) -> list[Entry]:
        try:
            if not self._opened:
                self._journal.open()
                self._opened = True
            abandoned = self._journal.claim(self._consumer, _ABANDONED_AFTER_MS, BATCH)
            return abandoned or self._journal.read(self._consumer, BATCH, wait_ms)
        except redis.ResponseError:  # the group is gone: Redis was emptied, or replaced by another
            self._opened = False
            raise

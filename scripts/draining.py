"""Move calls, and what became of them, from the journal into the call log."""

from datetime import UTC, datetime

import redis
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from models import call_log
from models.database import Database
from prompts.phrases import CONSENT_VERSION
from routing.journal import Entry, Journal

BATCH = 500
_ABANDONED_AFTER_MS = 10_000
"""A worker that has not acknowledged for this long is dead: a batch takes well under a second."""

log = structlog.get_logger()


class Drain:
    """One consumer of the journal. Raises what Redis and the database raise; nothing is lost by it.

    Entries are acknowledged after their rows are committed. Whatever dies in between leaves them
    with the journal, and writing a row again changes nothing. An entry that cannot be read, or whose
    row the database refuses, is set aside and holds up no other.
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
        refused = self._write([entry for entry in entries if entry.happening is not None])
        for entry in entries:
            if entry.happening is None:
                log.error("journal.unreadable_entry", entry=entry.entry_id.decode())
                self._journal.set_aside(entry)
        for entry, reason in refused:
            log.error("journal.refused_entry", entry=entry.entry_id.decode(), error=reason)
            self._journal.set_aside(entry)
        self._journal.acknowledge(entries)
        self._in_hand = []
        return len(entries)

    def _write(self, entries: list[Entry]) -> list[tuple[Entry, str]]:
        """Write entries to the log, all but those that the database refuses; return these and why."""
        happenings = [entry.happening for entry in entries if entry.happening is not None]
        if not happenings:
            return []
        try:
            call_log.record(self._database, happenings, datetime.now(UTC), CONSENT_VERSION)
        except (StatementError, ValueError, OverflowError) as error:
            if not _is_refusal(error):
                raise
            if len(entries) == 1:
                return [(entries[0], type(getattr(error, "orig", None) or error).__name__)]
            half = len(entries) // 2
            return self._write(entries[:half]) + self._write(entries[half:])
        return []

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

"""Move calls, and what became of them, from the journal into the call log."""

from collections.abc import Sequence
from datetime import UTC, datetime

import redis
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from models import call_log
from models.database import Database
from prompts.phrases import CONSENT_VERSION
from routing.journal import Entry, Journal
from routing.recorder import Happening

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

"""What the worker does for its host: the last-known copy of all routes, and the spool."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from models.blocked_caller import all_blocked_patterns
from models.database import Database
from models.routes import stream_campaigns, stream_stored_numbers
from routing.encoding import Unreadable
from routing.recorder import Happening, call_sid_of
from routing.snapshot.writer import SnapshotUnderWay, write_stored
from routing.spool.replay import replay
from routing.spooled import decode_happening
from scripts.draining import log_happenings
from scripts.settings import Settings

log = structlog.get_logger()

_SNAPSHOT_EVERY = 60.0
"""Seconds; more where writing takes long, so that it never takes more than a tenth of the time."""
_SHARE = 10
_RETRY_AFTER = 5.0
"""Seconds."""


class HostKeeper:
    """What the worker does for its host. Raises what the database and the disk raise."""

    def __init__(
        self, settings: Settings, database: Database, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._snapshot = settings.snapshot
        self._spool = settings.spool
        self._database = database
        self._clock = clock
        self._next_snapshot = clock()

    def keep(self) -> None:
        """One round: write spooled calls to the log, take a snapshot when it is time."""
        if replayed := replay(self._spool, self._log_calls):
            log.info("spool.replayed", records=replayed)
        if self._clock() >= self._next_snapshot:
            self._take_snapshot()

    def _take_snapshot(self) -> None:
        began = self._clock()
        taken_at = datetime.now(UTC)
        # Should this round fail, the next try is a moment away, not the next second.
        self._next_snapshot = began + _RETRY_AFTER
        try:
            with self._database.reading() as session:
                write_stored(
                    self._snapshot,
                    stream_campaigns(session),
                    stream_stored_numbers(session),
                    all_blocked_patterns(session),
                    taken_at,
                )
        except SnapshotUnderWay:
            pass  # another worker of this host is at it
        took = self._clock() - began
        self._next_snapshot = self._clock() + max(_SNAPSHOT_EVERY, took * _SHARE)

    def _log_calls(self, records: Sequence[bytes]) -> None:
        happenings: list[Happening] = []
        for record in records:
            try:
                happenings.append(decode_happening(record))
            except Unreadable:
                log.critical("spool.unreadable_record", length=len(record))
        for position, reason in log_happenings(self._database, happenings).items():
            log.error("spool.refused_record", call_sid=call_sid_of(happenings[position]), error=reason)

"""The background worker: drains the journal into the call log, keeps the index right, tells others."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import click
import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from routing.index.writer import IndexWriter
from routing.journal import Journal
from scripts.assembly import Parts, parts
from scripts.call_exporting import CallExporter
from scripts.carrier_keeping import CarrierKeeper
from scripts.cli import run
from scripts.collecting import collect_seldom
from scripts.draining import Drain
from scripts.forgetting import Forgetter
from scripts.host_files import HostKeeper
from scripts.index_keeping import IndexKeeper
from scripts.index_patrol import IndexPatrol
from scripts.logs import set_up_logs
from scripts.number_keeping import NumberKeeper
from scripts.publication import Publication, at_once
from scripts.report_keeping import ReportKeeper
from scripts.signs_of_life import SignsOfLife
from scripts.sweeping import Sweeper
from scripts.webhook_keeping import WebhookKeeper

log = structlog.get_logger()

_PAUSE_AFTER_TROUBLE = 0.5
_WAIT_FOR_CALLS_MS = 500
_POLL_PARTITIONS_EVERY = 0.1
"""Seconds. Several partitions cannot be waited for, only asked one after the other."""
_KEEP_EVERY = 0.25
"""Seconds. An editor publishes his own edits at once; this is for those who died before they could."""


class _Stopping(Exception):
    """The worker is told to stop in the middle of a long piece of work that may be left undone."""


_HOST_EVERY = 1.0
"""Seconds between two looks into the spool."""
_CARRIER_EVERY = 1.0
"""Seconds between two looks whether it is time to ask the carrier."""
_EXPORTS_EVERY = 1.0
"""Seconds between two looks whether somebody asked for an export."""
_REPORTS_EVERY = 1.0
"""Seconds between two looks whether it is time to keep the roll-ups."""
_NUMBERS_EVERY = 1.0
"""Seconds between two looks for orders of numbers."""
_PATROL_EVERY = 1.0
"""Seconds between two looks whether it is time to compare the index."""


class Worker:
    """Runs its loops until told to stop; what they are for stands in `run`.

    The loop for the host also sweeps.
    """

    def __init__(self, parts: Parts) -> None:
        self._stop = threading.Event()
        consumer = f"{socket.gethostname()}:{os.getpid()}"
        self._drain = Drain(Journal(parts.redis, parts.layout), parts.database, consumer)
        self._keeper = IndexKeeper(parts.database, parts.redis, parts.layout)
        self._patrol = IndexPatrol(parts.database, parts.redis, parts.layout)
        self._host = HostKeeper(parts.settings, parts.database)
        self._sweeper = Sweeper(parts.database)
        self._carrier = CarrierKeeper(
            parts.settings, parts.database, parts.redis, parts.layout, pause=self._rest
        )
        self._signs = SignsOfLife(parts.settings.signs_of_life)
        publication = Publication(parts.database, IndexWriter(parts.redis, parts.layout))
        self._numbers = NumberKeeper(
            parts.settings,
            parts.database,
            publish=at_once(publication),
            pause=lambda seconds: self._rest(seconds, "numbers"),
        )
        self._reports = ReportKeeper(parts.database, pause=self._rest)
        self._exporter = CallExporter(parts.database, pause=self._rest)
        self._forgetter = Forgetter(parts.database, parts.settings.secret_key, pause=self._rest)
        self._webhooks = WebhookKeeper(parts.settings, parts.database, consumer)
        self._poll_every = 0.0 if parts.layout.partitions == 1 else _POLL_PARTITIONS_EVERY

    def stop(self) -> None:
        """Finish the batch in hand, leave a rebuild undone, then return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`; the journal has this thread, every other loop one of its own."""
        others = [
            threading.Thread(target=self._repeat, args=loop, name=loop[0])
            for loop in (
                ("index", self._keep, _KEEP_EVERY),
                ("patrol", lambda: self._patrol.keep(self._rest), _PATROL_EVERY),
                ("host", self._tidy, _HOST_EVERY),
                ("carrier", self._carrier.keep, _CARRIER_EVERY),
                ("numbers", self._numbers.keep, _NUMBERS_EVERY),
                ("reports", self._keep_reports, _REPORTS_EVERY),
                ("exports", self._exporter.export, _EXPORTS_EVERY),
                ("webhooks", self._webhooks.keep, 0.0),
            )
        ]
        for other in others:
            other.start()
        self._repeat("journal", lambda: self._drain.drain(_WAIT_FOR_CALLS_MS), self._poll_every)
        with suppress(redis.RedisError, SQLAlchemyError):  # else another worker takes it over
            self._drain.finish()
        for other in others:
            other.join()
        with suppress(SQLAlchemyError):  # else what was sent just now is sent again
            self._webhooks.finish()

    def _keep(self) -> None:
        self._keeper.keep(self._go_on)

    def _keep_reports(self) -> None:
        self._reports.keep()
        self._forgetter.forget()

    def _tidy(self) -> None:
        self._host.keep()
        self._sweeper.sweep()

    def _go_on(self, _done: int) -> None:
        self._rest(0)

    def _rest(self, seconds: float, loop: str = "") -> None:
        # Long rounds leave signs of life in their middle too; a thread has the name of its loop, unless
        # the loop has several.
        self._signs.leave(loop or threading.current_thread().name)
        if self._stop.wait(seconds):
            raise _Stopping

    def _repeat(self, loop: str, step: Callable[[], object], pause: float) -> None:
        while not self._stop.is_set():
            try:
                step()
            except (redis.RedisError, SQLAlchemyError) as error:
                # A store is away. What is not acknowledged stays where it is until it is back.
                log.warning("worker.store_unreachable", loop=loop, error=type(error).__name__)
                self._stop.wait(_PAUSE_AFTER_TROUBLE)
            except _Stopping:
                return
            except Exception:
                # A defect in one round must not end the worker: the next round may do without it.
                log.exception("worker.round_failed", loop=loop)
                self._stop.wait(_PAUSE_AFTER_TROUBLE)
            else:
                self._signs.leave(loop)
                self._stop.wait(pause)


@click.command(name="worker")
def command() -> None:
    """Write answered calls to the call log and keep the campaign index right, until stopped.

    Run one or more; they share the work. TERM stops it after the batch in hand.

    Example: hookswitch worker
    """
    with parts() as opened:
        set_up_logs(opened.settings.log_level, opened.settings.log_format)
        worker = Worker(opened)
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: worker.stop())
        collect_seldom()
        log.info("worker.started")
        worker.run()
        log.info("worker.stopped")


if __name__ == "__main__":
    sys.exit(run(command))

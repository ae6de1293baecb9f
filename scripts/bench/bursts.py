"""Web and worker side by side: with nothing to drain, and while a burst of entries is drained."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
import redis
from sqlalchemy import text

from routing.recorder import Happening
from scripts.bench import happenings
from scripts.bench.installation import Installation
from scripts.bench.load import LoadFailed, Measured, Order, run_load
from scripts.bench.processes import Cores, cpu_seconds, pinned_to
from scripts.bench.web import Server, serving
from scripts.children import Child

_LAG = 1.0
"""Seconds by which the log may be behind, to have caught up."""
_PATIENCE = 120.0
_POLL = 0.02
_GRACE = 20.0
_MILLI = 1_000


@dataclass(frozen=True, slots=True)
class Beside:
    """How the web served beside a worker: answers per second of its processor time, milliseconds."""

    per_cpu_second: float
    p50: float
    p99: float
    until_caught_up: float
    """Seconds until the oldest entry of the journal was less than a second old."""


def served(installation: Installation, cores: Cores, order: Order, waiting: Sequence[Happening]) -> Beside:
    """Serve the order (of any port) while a worker drains `waiting`, which are there all at once."""
    with serving("wsgi:create_app()", installation, cores.measured) as web, _worker(installation) as worker:
        os.kill(worker.pid, signal.SIGSTOP)
        happenings.journal(installation, waiting)
        with ThreadPoolExecutor(1) as beside:
            loading = beside.submit(_load, web, order, cores)
            os.kill(worker.pid, signal.SIGCONT)
            took = _until_caught_up(installation, worker)
            measured, used = loading.result()
    return Beside(measured.answers / used, measured.p50, measured.p99, took)


def drop_calls(installation: Installation) -> None:
    """Empty journal and call log."""
    installation.redis.delete(installation.layout.journal(0))
    with installation.database.session() as session:
        session.execute(text("DELETE FROM call_events"))
        session.execute(text("DELETE FROM calls"))
    with installation.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))


@contextmanager
def _worker(installation: Installation) -> Iterator[Child]:
    """A worker beside the stores; ready once it has made its consumer group."""
    log = installation.directory / f"worker-{time.monotonic_ns()}.log"
    words = [sys.executable, "-m", "scripts.worker"]
    child = Child("worker", words, environ=installation.environ, directory=installation.directory, log=log)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _is_waiting(installation):
            if child.has_ended() or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().rpartition("\n")[2]
                raise click.ClickException(f"the worker does not start: {said}")
            time.sleep(_POLL)
        yield child
    finally:
        os.kill(child.pid, signal.SIGCONT)
        child.stop(_GRACE)


def _is_waiting(installation: Installation) -> bool:
    try:
        groups: Any = installation.redis.xinfo_groups(installation.layout.journal(0))
    except redis.ResponseError:  # there is no stream yet
        return False
    return bool(groups)


def _load(web: Server, order: Order, cores: Cores) -> tuple[Measured, float]:
    """Do the order; return what was measured and the processor time of the web process."""
    before = cpu_seconds(web.workers)
    with pinned_to(cores.others):
        measured = answered(web, order, cores)
    return measured, cpu_seconds(web.workers) - before


def answered(web: Server, order: Order, cores: Cores) -> Measured:
    """Do the order at `web`; a wrong answer fails the bench."""
    own = Order(web.port, order.requests, order.seconds, order.connections, order.rate)
    try:
        measured = run_load(own, cores.others)
    except LoadFailed as error:
        raise click.ClickException(f"{error}; the web server said: {web.last_words()}") from error
    if measured.wrong:
        raise click.ClickException(f"{measured.wrong} answers were wrong: {measured.complaint}")
    return measured


def _until_caught_up(installation: Installation, worker: Child) -> float:
    began = time.monotonic()
    while _lag(installation) >= _LAG:
        if worker.has_ended() or time.monotonic() > began + _PATIENCE:
            raise click.ClickException(f"the worker did not catch up within {_PATIENCE:.0f} s")
        time.sleep(_POLL)
    return time.monotonic() - began


def _lag(installation: Installation) -> float:
    """The age of the oldest entry, in seconds; its id begins with the milliseconds since 1970."""
    oldest: Any = installation.redis.xrange(installation.layout.journal(0), count=1)
    return time.time() - int(oldest[0][0].partition(b"-")[0]) / _MILLI if oldest else 0.0

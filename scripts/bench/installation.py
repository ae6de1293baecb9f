"""A throw-away installation to measure on: fresh PostgreSQL and embedded Redis, gone afterwards."""

import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from models import migrate
from models.database import Database
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts import embedded
from scripts import settings as settings_of
from scripts.bench.postgres import fresh_database
from scripts.settings import Settings
from scripts.stores import BACKGROUND_TIMEOUT, layout_of, open_redis

_GRACE = 10.0
_SIGNALLED = 128
"""Added to the signal's number it is the exit status that shells give."""
# Not a local address: a local one would let requests name the instant, which a real one does not.
_PUBLIC_BASE_URL = "https://calls.example.com"
# What a program needs to run; the settings of the real installation stay out.
_KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Installation:
    """Migrated database, empty Redis, and the environment in which our programs use both."""

    directory: Path
    settings: Settings
    environ: dict[str, str]
    database: Database
    redis: RedisClient
    layout: Layout


@contextmanager
def throw_away(server: str | None, *, sqlite: bool = False) -> Iterator[Installation]:
    """Yield an installation on PostgreSQL (a fresh database of `server` if named) or on SQLite."""
    with ExitStack() as stack:
        stack.enter_context(ending_in_order())
        # A short path: sockets live in it.
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hookswitch-bench-")))
        url = (
            f"sqlite:///{directory / 'bench.db'}"
            if sqlite
            else stack.enter_context(fresh_database(server, directory))
        )
        migrate.upgrade(url)
        redis_url = stack.enter_context(a_redis(directory / "var"))
        environ = environment(url, redis_url, directory)
        settings = settings_of.load(environ, directory)
        database = Database(url, patient=True)
        stack.callback(database.dispose)
        client = stack.enter_context(opened(redis_url))
        yield Installation(directory, settings, environ, database, client, layout_of(redis_url))


@contextmanager
def a_redis(var: Path) -> Iterator[str]:
    """Run an embedded Redis with its data under `var`; yield its URL."""
    try:
        store = embedded.start(var)
    except embedded.StoreFailed as error:
        raise click.ClickException(str(error)) from error
    try:
        yield store.url
    finally:
        store.stop(_GRACE)


@contextmanager
def opened(redis_url: str) -> Iterator[RedisClient]:
    client = open_redis(redis_url, BACKGROUND_TIMEOUT)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Clean up on TERM as well, which would end Python on the spot."""

    def end(number: int, _frame: object) -> None:
        sys.exit(_SIGNALLED + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def environment(database_url: str, redis_url: str, directory: Path) -> dict[str, str]:
    """In which our programs run on these stores and on nothing of the real installation."""
    metrics = directory / "metrics"
    metrics.mkdir()
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "PUBLIC_BASE_URL": _PUBLIC_BASE_URL,
        "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "WEB_CONCURRENCY": "1",
        # As `hookswitch serve` does it: counting over several processes costs more.
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }

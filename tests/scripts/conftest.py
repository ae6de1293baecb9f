"""What tests of commands share: an installation named by the environment, and a way to type commands."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from models.database import Database
from routing.index.layout import Layout
from scripts.cli import hookswitch, run
from tests.scripts.installation import SECRETS, Installation, Outcome
from tests.services.redis_server import RedisServer
from tests.services.twilio_numbers import TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN

Typed = Callable[..., Outcome]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with the required settings and no others, in an empty folder."""
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def installation(
    settings: None,
    monkeypatch: pytest.MonkeyPatch,
    sqlite_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
) -> Iterator[Installation]:
    """A migrated database and an empty Redis, and the environment that names them."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    database = Database(sqlite_url, patient=True)
    yield Installation(database, redis_client, Layout())
    database.dispose()


@pytest.fixture
def on_postgresql(
    settings: None,
    monkeypatch: pytest.MonkeyPatch,
    postgres_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
) -> Iterator[Installation]:
    """An installation that several processes may write to at the same moment."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    database = Database(postgres_url, patient=True)
    yield Installation(database, redis_client, Layout())
    database.dispose()


@pytest.fixture
def typed(settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type a command: `typed("explain", "+15005550100")`; what it logs goes nowhere."""
    # Loggers remember the stream that they first wrote to; that of a test is closed after it.
    monkeypatch.setattr("structlog.configure", lambda **_: None)
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)

    def type_in(*words: str) -> Outcome:
        capsys.readouterr()
        with capture_logs():
            status = run(hookswitch, words)
        return Outcome(status, *capsys.readouterr())

    return type_in


@pytest.fixture
def shop(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioNumbersServer]:
    """The carrier's account of the installation, where numbers can be bought."""
    with TwilioNumbersServer(ACCOUNT, TOKEN) as server:
        monkeypatch.setenv("TWILIO_API_BASE_URL", server.origin)
        yield server

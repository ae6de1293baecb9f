"""While a caller waits the database gets little time, and one that comes back is used again."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models import migrate
from models.database import Database
from models.routes import route_of
from tests.builders import TRACKING, a_user
from tests.services.postgres import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of our own, to be stopped and frozen."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def outage(server: PostgresServer) -> Iterator[Database]:
    url = server.create_database()
    migrate.upgrade(url)
    database = Database(url)
    yield database
    database.dispose()


def asks(database: Database) -> None:
    with database.reading() as session:
        assert route_of(session, TRACKING) is None


def test_a_restarted_server_fails_no_call(server: PostgresServer, outage: Database) -> None:
    asks(outage)
    server.stop()
    with pytest.raises(OperationalError):
        asks(outage)
    server.start()
    asks(outage)
    server.stop()
    server.start()
    asks(outage)


def test_a_frozen_server_is_given_up_on(server: PostgresServer, outage: Database) -> None:
    asks(outage)
    with outage.reading() as session:
        asks(outage)
        server.freeze()
        try:
            started = time.monotonic()
            with pytest.raises(OperationalError):
                session.execute(text("SELECT 1"))
            with pytest.raises(OperationalError):
                asks(outage)
            assert time.monotonic() - started < 4
        finally:
            server.thaw()
    asks(outage)


def test_a_frozen_server_is_asked_once_not_also_for_a_new_connection(
    server: PostgresServer, outage: Database
) -> None:
    asks(outage)
    server.freeze()
    try:
        started = time.monotonic()
        with pytest.raises(OperationalError, match="in time"):
            asks(outage)
        assert time.monotonic() - started < 1.5
    finally:
        server.thaw()
    asks(outage)


def test_a_slow_statement_is_stopped(postgres_url: str) -> None:
    database, patient = Database(postgres_url), Database(postgres_url, patient=True)
    with pytest.raises(OperationalError, match="statement timeout"), database.session() as session:
        session.execute(text("SELECT pg_sleep(0.6)"))
    with patient.session() as session:
        session.execute(text("SELECT pg_sleep(0.9)"))
    database.dispose()
    patient.dispose()


def test_a_write_lock_held_by_another_is_not_waited_for_long(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.session() as first:
        a_user(first)
        asks(database)
        started = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), database.session() as second:
            a_user(second)
        assert 0.4 < time.monotonic() - started < 2
    database.dispose()


def test_connections_are_not_waited_for_long(database: Database) -> None:
    started = time.monotonic()
    with ExitStack() as busy:

        def open_another() -> None:
            busy.enter_context(database.reading()).execute(text("SELECT 1"))

        with pytest.raises(PoolTimeout):
            repeat(open_another, times=100)
    assert time.monotonic() - started < 2
    asks(database)


def repeat(action: Callable[[], None], *, times: int) -> None:
    for _ in range(times):
        action()


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    Database(f"sqlite:///{file}").dispose()
    Database("postgresql+psycopg://nobody@127.0.0.1:1/none").dispose()
    assert not file.exists()


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    started = time.monotonic()
    with pytest.raises(SQLAlchemyError):
        asks(database)
    assert time.monotonic() - started < 1


def test_sqlite_is_durable_and_strict(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.reading() as session:
        settings = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 500}
    database.dispose()

"""The database: one engine with limits, and the sessions over it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session, sessionmaker

from models import auditing, campaign_news, propagation
from models.auditing import SYSTEM, Author
from models.metadata import metadata
from models.search import spaced_words

_STATEMENT_LIMIT_MS = 500
_OPERATOR_LIMIT_MS = 5_000
_PATIENT_BUSY_MS = 60_000
_CONNECT_LIMIT = 1
_CHECKOUT_LIMIT = 0.5
_POOL_SIZE = 5


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Opens connections at first use, never before.

    While a call waits for its answer nothing may take long: PostgreSQL gets 1 s to accept, 500 ms for
    a statement, and SQLite 500 ms for its write lock. `patient` lifts the limits for commands and
    migrations; `unhurried` raises them to 5 s for operators, who wait longer than callers. Errors are
    SQLAlchemy's: `OperationalError` or `TimeoutError` where the database does not answer in time.
    """

    metadata = metadata
    """All tables, declared before the first session needs one."""

    def __init__(
        self, url: str, *, patient: bool = False, unhurried: bool = False, clock: propagation.Clock = _utc_now
    ) -> None:
        """Take `sqlite:///file` or `postgresql+psycopg://…`; `clock` stamps rows, in aware UTC."""
        target = make_url(url)
        self.is_postgresql = target.get_backend_name() == "postgresql"
        limit = None if patient else _OPERATOR_LIMIT_MS if unhurried else _STATEMENT_LIMIT_MS
        self.engine = _postgresql(target, limit) if self.is_postgresql else _sqlite(target, limit)
        # Readers see one snapshot, so that facts read one after the other belong together.
        options: dict[str, Any] = {"hookswitch_reading": True}
        if self.is_postgresql:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = sessionmaker(
            self.engine.execution_options(**options), autoflush=False, expire_on_commit=False
        )
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        propagation.install(self._writing, clock)
        auditing.install(self._writing)
        campaign_news.install(self._writing)

    @contextmanager
    def session(self, author: Author = SYSTEM) -> Iterator[Session]:
        """A transaction for writing: committed at the end, rolled back by any exception.

        `author` is whom the audit trail names.
        """
        with self._writing.begin() as session:
            session.info[Author] = author
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A snapshot for reading; never waits for writers, and a write in it fails."""
        with self._reading() as session:
            yield session

    def dispose(self) -> None:
        """Close all connections; the next use opens new ones."""
        self.engine.dispose()


def _postgresql(url: URL, limit_ms: int | None) -> Engine:
    # The driver is slow to import, and SQLite does without.
    from models.deadline import Impatient, Unhurried

    settings = {"timezone": "UTC", "statement_timeout": str(limit_ms or 0)}
    if limit_ms == _OPERATOR_LIMIT_MS:
        # One plan for the group of a leaf and for that of the root would be wrong for both; and no page
        # is so long that compiling its query would pay.
        settings |= {"plan_cache_mode": "force_custom_plan", "jit": "off"}
    arguments: dict[str, Any] = {
        "connect_timeout": 10 if limit_ms is None else _CONNECT_LIMIT,
        "application_name": "hookswitch",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
    engine = create_engine(
        url,
        connect_args=arguments,
        hide_parameters=True,  # they hold phone numbers, and errors are logged
        pool_size=_POOL_SIZE,
        pool_timeout=_CHECKOUT_LIMIT,
        pool_use_lifo=True,
        # One more round trip a checkout; a restarted server then fails no call at all.
        pool_pre_ping=True,
    )
    event.listen(engine, "handle_error", _leave_out_rows)
    if limit_ms is not None:
        event.listen(engine, "handle_error", _knock_once)
        kind = Impatient if limit_ms == _STATEMENT_LIMIT_MS else Unhurried

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, kwargs: Any) -> Impatient:  # noqa: ANN401
            return kind.connect(*args, **kwargs)

    return engine


def _knock_once(context: ExceptionContext) -> None:
    """Give up where a kept connection is not answered: a new one would keep the caller waiting once more.

    One that was closed, by a restart say, is replaced.
    """
    from models.deadline import TooLate  # as above

    if context.is_pre_ping and isinstance(context.original_exception, TooLate):
        context.is_disconnect = False


def _leave_out_rows(context: ExceptionContext) -> None:
    """PostgreSQL quotes the offending row in the detail of its errors, with the phone numbers in it."""
    original = context.original_exception
    detail = getattr(getattr(original, "diag", None), "message_detail", None)
    if detail:
        for error in filter(None, (original, context.sqlalchemy_exception)):
            error.args = tuple(str(part).replace(detail, "(left out)") for part in error.args)


def _write_ahead(cursor: sqlite3.Cursor, patience: float) -> None:
    """Switch the file to its write-ahead log, once in its life.

    SQLite does not wait for its busy timeout here: two processes that open a new file together would
    fail one of them.
    """
    until = time.monotonic() + patience
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _sqlite(url: URL, limit_ms: int | None) -> Engine:
    busy = limit_ms or _PATIENT_BUSY_MS
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        pool_timeout=_CHECKOUT_LIMIT,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        # The driver begins transactions too late (not before SELECT or DDL); the event below does it.
        connection.isolation_level = None
        connection.create_function("hookswitch_words", 1, spaced_words, deterministic=True)
        cursor = connection.cursor()
        for setting in (f"busy_timeout = {busy}", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {setting}")
        _write_ahead(cursor, patience=busy / 1000)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("hookswitch_reading"):
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            # A transaction that reads first and then writes would fail at once, whatever the busy
            # timeout, when another one wrote in between: take the write lock at the start.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine

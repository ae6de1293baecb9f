"""Bring a database to a schema revision; safe to repeat, and safe when several processes do it at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from models.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number, the same in all processes and different from other locks.
_ADVISORY_LOCK = 7_203_114_002


def upgrade(url: str, revision: str = "head") -> None:
    """Create or change the tables, up to `revision`; does nothing where they are that far."""
    with _alone(url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Undo what came after `revision`; `base` undoes all, and the data goes with the tables."""
    with _alone(url) as connection:
        command.downgrade(_config(connection), revision)


def current(url: str) -> str | None:
    """The schema revision of the database; None: it has no tables of ours."""
    database = Database(url)
    try:
        with database.reading() as session:
            return MigrationContext.configure(session.connection()).get_current_revision()
    finally:
        database.dispose()


def head() -> str:
    """The schema revision that this program works with."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise RuntimeError(f"there are no migrations in {_SCRIPTS}")
    return newest


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """One transaction that nobody else migrates beside: all of it happens or nothing."""
    database = Database(url, patient=True)
    try:
        with database.engine.connect() as connection:
            if not database.is_postgresql:
                _let_tables_be_copied(connection)
            with connection.begin():
                # SQLite's transactions hold its write lock from the start.
                if database.is_postgresql:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                yield connection
    finally:
        database.dispose()


def _let_tables_be_copied(connection: Connection) -> None:
    """Dropping the old copy of a table must not count as deleting what others refer to.

    As SQLite advises (sqlite.org/lang_altertable.html); it has to be said before the transaction begins.
    """
    connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config

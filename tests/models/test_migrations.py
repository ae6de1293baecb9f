"""The schema's history runs up and down, and ends at what the mappings say."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import IntegrityError

from models import migrate
from models.blocked_caller import block
from models.database import Database
from models.metadata import metadata
from models.outbox import pending
from routing.blocks import CallerPattern
from tests.builders import NOW, a_campaign


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def tables_in(url: str) -> set[str]:
    database = Database(url)
    try:
        return set(inspect(database.engine).get_table_names())
    finally:
        database.dispose()


def is_in_the_mappings(name: str | None, kind: str, _parents: object) -> bool:
    """Indexes over expressions, for searching, are spelled in their migration alone."""
    return kind != "index" or not (name or "").startswith("sx_")


def test_the_migrated_schema_is_the_one_of_the_mappings(database: Database) -> None:
    with database.engine.begin() as connection:
        opts = {"compare_type": True, "include_name": is_in_the_mappings}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_the_migrated_constraints_are_those_of_the_mappings(database: Database) -> None:
    found = inspect(database.engine)
    for table in metadata.sorted_tables:
        checks = {check["name"] for check in found.get_check_constraints(table.name)}
        assert checks == {c.name for c in table.constraints if isinstance(c, CheckConstraint)}


def test_going_down_leaves_nothing_and_up_again_brings_all_back(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    everything = tables_in(empty_url)
    assert everything == {*metadata.tables, "alembic_version"}
    migrate.downgrade(empty_url, "base")
    assert tables_in(empty_url) == {"alembic_version"}
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    assert tables_in(empty_url) == everything


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate.upgrade, empty_url) for _ in range(3)]:
            done.result()
    assert migrate.current(empty_url) == migrate.head()


def test_migrating_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'quiet.db'}")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


def test_going_back_below_block_lists_keeps_the_outbox_and_its_count(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    database = Database(empty_url)
    try:
        with database.session() as session:
            campaign = a_campaign(session)
            block(session, CallerPattern("+1900*"), group_id=campaign.group_id, at=NOW)
        migrate.downgrade(empty_url, "0002")
        with database.engine.connect() as connection:
            kept = connection.execute(text("SELECT topic, id FROM outbox")).all()
        assert kept == [("campaign", 1)]
        migrate.upgrade(empty_url)
        with database.session() as session:
            a_campaign(session)
            assert max(change.id for change in pending(session, 9)) == 3
    finally:
        database.dispose()


def test_groups_keep_their_rows_and_whoever_refers_to_them(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0004")
    _write(
        empty_url,
        "INSERT INTO groups (id, parent_id, name, time_zone, default_record_calls, default_caller_id)"
        " VALUES (1, NULL, 'Root', 'Europe/Berlin', false, 'caller'), (2, 1, 'North', 'UTC', true, 'caller')",
        "INSERT INTO prompts (id, group_id, name, kind, language) VALUES (1, 2, 'Goodbye', 'text', 'en')",
    )
    migrate.upgrade(empty_url)
    _write(empty_url, "UPDATE groups SET time_zone = NULL, default_record_calls = NULL WHERE id = 2")
    with pytest.raises(IntegrityError):
        _write(empty_url, "DELETE FROM groups WHERE id = 2")
    migrate.downgrade(empty_url, "0004")
    database = Database(empty_url)
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, parent_id, time_zone FROM groups ORDER BY id")).all()
        assert connection.execute(text("SELECT group_id FROM prompts")).scalars().all() == [2]
    database.dispose()
    assert [tuple(row) for row in rows] == [(1, None, "Europe/Berlin"), (2, 1, "UTC")]


def _write(url: str, *statements: str) -> None:
    database = Database(url)
    try:
        with database.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        database.dispose()

"""`hookswitch reports` and `privacy`: roll-ups are checked and rebuilt, callers shown and erased."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from models.audit import AuditEntry
from models.call import Call
from models.database import Database
from models.reporting.changes import changed_days
from scripts.report_keeping import ReportKeeper
from tests.builders import CALLER
from tests.models.reporting.log import logged
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation, Outcome

_LONG_AGO = datetime.now(UTC) - timedelta(days=40)


@pytest.fixture
def at_size(
    postgres_database: Database, postgres_url: str, settings: None, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A PostgreSQL with some calls, which the environment names."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with postgres_database.session() as session:
        for days in range(3):
            logged(session, started_at=_LONG_AGO + timedelta(days=days))
    return postgres_database


def test_the_worker_rolls_up_what_is_over(at_size: Database) -> None:
    keeper = ReportKeeper(at_size, pause=lambda _seconds: None)
    with at_size.session() as session:
        logged(session, started_at=datetime.now(UTC))
    keeper.keep()
    with at_size.reading() as session:
        assert changed_days(session) <= {datetime.now(UTC).date(), (datetime.now(UTC) - timedelta(1)).date()}
        assert (
            session.scalar(text("SELECT count(*) FROM report_blocks WHERE grain = 'day' AND level = 0")) == 3
        )


def test_roll_ups_that_are_wrong_are_found_and_mended(at_size: Database, typed: Typed) -> None:
    assert typed("reports", "rebuild").out.startswith("3 days rolled up")
    assert typed("reports", "verify") == Outcome(0, "the roll-ups are what the log says\n", "")
    with at_size.session() as session:
        session.execute(text("UPDATE report_blocks SET calls = calls + 1 WHERE level = 0 AND grain = 'day'"))
    told = typed("reports", "verify")
    assert told.status == 1
    assert "roll-ups differ" in told.out
    assert told.complaint.startswith("hookswitch: the roll-ups differ from the log")
    assert typed("reports", "rebuild").status == 0
    assert typed("reports", "verify").status == 0


def test_sqlite_needs_no_roll_ups(installation: Installation, typed: Typed) -> None:
    for act in ("rebuild", "verify"):
        assert typed("reports", act) == Outcome(
            0, "SQLite needs no roll-ups: its reports read the call log\n", ""
        )


def test_a_caller_is_shown_and_erased_and_both_are_noted(installation: Installation, typed: Typed) -> None:
    with installation.database.session() as session:
        logged(session, caller=CALLER, recording_sid="RE1")
        logged(session)
    [call] = typed("privacy", "export", CALLER.e164).json_lines
    assert (call["caller"], call["events"]) == (CALLER.e164, [])
    asked = typed("privacy", "erase", CALLER.e164)
    assert asked.out.startswith(f"{CALLER.masked} would be erased from 1 calls; do it with --apply\n")
    with installation.database.reading() as session:
        assert CALLER in session.scalars(select(Call.caller)).all()
    done = typed("privacy", "erase", CALLER.e164, "--apply")
    assert done.out == (
        f"{CALLER.masked} erased from 1 calls\nrecording RE1 is to be deleted at the carrier\n"
    )
    with installation.database.reading() as session:
        assert session.scalars(select(Call.caller)).all() == [None, None]
        entries = session.scalars(select(AuditEntry).where(AuditEntry.entity == "caller")).all()
        assert [(entry.field, entry.new) for entry in entries] == [
            ("exported", f"{CALLER.masked}, 1 calls"),
            ("erased", f"{CALLER.masked}, 1 calls"),
        ]

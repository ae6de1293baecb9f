"""Exports that the worker writes: whole, as their owner may see the calls, and gone in the end."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from admin import call_exports
from admin.access.actor import Actor
from admin.errors import Conflict, Invalid, NotThere
from models.call_export import KEPT_FOR, CallExport, ExportStatus, part, parts_of
from models.database import Database
from models.user import Role, UserStatus
from scripts import call_exporting
from scripts.call_exporting import CallExporter
from tests.builders import CALLER, NOW, a_group, a_user
from tests.models.reporting.log import logged


@pytest.fixture
def ada(database: Database) -> Actor:
    with database.session() as session:
        user = a_user(session)
        return Actor(user.id, user.group_id, user.role, "UTC")


def ask(database: Database, actor: Actor, **said: object) -> int:
    with database.session(actor.author) as session:
        return call_exports.create(session, actor, said, NOW).id


def write(database: Database, now: datetime = NOW) -> bool:
    return CallExporter(database, pause=lambda _seconds: None, clock=lambda: now).export()


def content(session: Session, export_id: int) -> str:
    pieces: Iterator[bytes] = (part(session, export_id, n) for n in range(parts_of(session, export_id)))
    return b"".join(pieces).decode()


def test_an_export_has_the_calls_that_were_asked_for(database: Database, ada: Actor) -> None:
    with database.session() as session:
        wanted = logged(session, "reject", group_id=ada.group_id, caller=CALLER, caller_city="=1+1")
        logged(session, "connect", group_id=ada.group_id)
        logged(session, "reject", group_id=a_group(session).id)
    as_csv = ask(database, ada, filters={"decision": ["reject"]})
    as_lines = ask(database, ada, format="jsonl", filters={"decision": ["reject"]})
    assert write(database)
    assert write(database)
    assert not write(database)
    with database.reading() as session:
        [row] = csv.DictReader(io.StringIO(content(session, as_csv), newline=""), strict=True)
        assert (row["id"], row["caller"], row["caller_city"]) == (str(wanted.id), CALLER.e164, "'=1+1")
        [line] = content(session, as_lines).splitlines()
        assert (json.loads(line)["id"], json.loads(line)["caller_city"]) == (wanted.id, "=1+1")
        shown = call_exports.view(call_exports.own(session, ada, as_csv, NOW))
        assert (shown.status, shown.rows, shown.total) == (ExportStatus.DONE, 1, 1)


def test_a_long_export_is_written_in_parts(
    database: Database, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_exporting, "_ROWS_OF_A_PART", 1)
    monkeypatch.setattr("models.call_rows._PIECE", 2)
    with database.session() as session:
        ids = [logged(session, group_id=ada.group_id).id for _ in range(5)]
    export_id = ask(database, ada, format="jsonl", filters={"sort": "started_at"})
    assert write(database)
    with database.reading() as session:
        assert parts_of(session, export_id) == 4
        assert [json.loads(line)["id"] for line in content(session, export_id).splitlines()] == ids


def test_an_export_shows_what_its_owner_may_see_when_it_is_written(database: Database, ada: Actor) -> None:
    with database.session() as session:
        group = a_group(session, mask_callers=True)
        user = a_user(session, group_id=group.id, role=Role.STANDARD)
        stan = Actor(user.id, group.id, Role.STANDARD, "UTC")
        logged(session, group_id=group.id, caller=CALLER)
        logged(session, group_id=ada.group_id, caller=CALLER)
    export_id = ask(database, stan, format="jsonl")
    assert write(database)
    with database.reading() as session:
        [line] = content(session, export_id).splitlines()
        assert json.loads(line)["caller"] == CALLER.masked


def test_what_a_dead_worker_left_is_written_from_its_beginning(database: Database, ada: Actor) -> None:
    export_id = ask(database, ada)

    def die(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CallExporter(database, pause=die, clock=lambda: NOW).export()
    assert not write(database)
    assert write(database, NOW + timedelta(minutes=3))
    with database.reading() as session:
        assert session.get_one(CallExport, export_id).status is ExportStatus.DONE
        assert parts_of(session, export_id) == 1


def test_an_export_of_somebody_who_was_disabled_fails(database: Database) -> None:
    with database.session() as session:
        user = a_user(session, status=UserStatus.DISABLED)
        actor = Actor(user.id, user.group_id, user.role, "UTC")
    export_id = ask(database, actor)
    assert write(database)
    with database.reading() as session:
        assert session.get_one(CallExport, export_id).status is ExportStatus.FAILED


def test_exports_are_nobody_elses_and_expire(database: Database, ada: Actor) -> None:
    export_id = ask(database, ada)
    assert write(database)
    with database.session() as session:
        other = a_user(session, group_id=ada.group_id)
        with pytest.raises(NotThere):
            call_exports.finished(session, Actor(other.id, ada.group_id, Role.ADMIN, "UTC"), export_id, NOW)
        there = call_exports.finished(session, ada, export_id, NOW + KEPT_FOR - timedelta(seconds=1))
        assert there.id == export_id
        with pytest.raises(NotThere):
            call_exports.finished(session, ada, export_id, NOW + KEPT_FOR)
    write(database, NOW + KEPT_FOR)
    with database.reading() as session:
        assert session.get(CallExport, export_id) is None
        assert parts_of(session, export_id) == 0


def test_nobody_asks_for_more_than_three_at_once(database: Database, ada: Actor) -> None:
    for _ in range(3):
        ask(database, ada)
    with pytest.raises(Conflict):
        ask(database, ada)


def test_filters_that_find_nothing_are_refused_at_once(database: Database, ada: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        ask(database, ada, filters={"caller": "1"})
    assert [error.field for error in refused.value.errors] == ["filters.caller"]

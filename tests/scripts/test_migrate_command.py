"""`hookswitch migrate`: says from where to where, and is safe to repeat."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from models import migrate as schema
from scripts.cli import run
from scripts.migrate import command


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SECRET_KEY", "s" * 32)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "t" * 32)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_empty_database_comes_to_the_newest_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, []) == 0
    assert capsys.readouterr().out == f"the schema went from nothing to {schema.head()}\n"


def test_a_second_time_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run(command, [])
    capsys.readouterr()
    assert run(command, ["--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"from": schema.head(), "to": schema.head()}


def test_a_database_of_a_newer_version_is_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(command, [])
    with sqlite3.connect(folder / "var" / "hookswitch.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'r9999'")
    database.close()
    assert run(command, []) == 1
    assert capsys.readouterr().err.endswith("a schema that this version does not know; update it\n")


def test_a_database_that_cannot_be_opened_is_told_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/missing/hookswitch.db")
    assert run(command, []) == 1
    assert capsys.readouterr().err.count("\n") == 1

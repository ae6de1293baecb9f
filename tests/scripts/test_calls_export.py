"""`hookswitch calls export`: every cell comes back as it was, and none runs in a spreadsheet."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin.files import safe
from models.call import ArrivalRow, record_arrivals
from routing.numbers import PhoneNumber
from tests.builders import CALLER, NOW, TRACKING
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation, Outcome
from tests.services.commands import ROOT

SECOND = timedelta(seconds=1)


def log(installation: Installation, *calls: dict[str, Any]) -> None:
    """Write calls to the log; each is a live one at `NOW` unless told otherwise."""
    rows: list[ArrivalRow] = []
    for serial, said in enumerate(calls):
        row: ArrivalRow = {
            "carrier": "twilio",
            "call_sid": f"CA{serial}",
            "decision": "connect",
            "reason": "live",
            "source": "index",
            "started_at": NOW,
            "created_at": NOW,
        }
        row.update(said)  # type: ignore[typeddict-item]
        rows.append(row)
    with installation.database.session() as session:
        record_arrivals(session, rows)


def table(told: Outcome) -> list[dict[str, str]]:
    assert (told.status, told.err) == (0, "")
    return list(csv.DictReader(io.StringIO(told.out, newline=""), strict=True))


def test_an_empty_log_is_a_header_in_csv_and_nothing_in_json_lines(
    installation: Installation, typed: Typed
) -> None:
    told = typed("calls", "export")
    assert told.out.startswith("id,carrier,call_sid,")
    assert told.out.count("\r\n") == 1
    assert table(told) == []
    assert typed("calls", "export", "--format", "jsonl") == Outcome(0, "", "")


def test_a_call_is_one_line_with_the_columns_of_the_log(installation: Installation, typed: Typed) -> None:
    known = {"caller": CALLER, "tracking_number": TRACKING, "campaign_id": 7, "facts": {"number": "1 7 1"}}
    log(installation, known)
    (row,) = table(typed("calls", "export"))
    assert (row["call_sid"], row["caller"], row["tracking_number"]) == ("CA0", CALLER.e164, TRACKING.e164)
    assert (row["campaign_id"], row["started_at"], row["ended_at"]) == ("7", "2026-03-04T12:00:00Z", "")
    assert json.loads(row["facts"]) == {"number": "1 7 1"}
    (line,) = typed("calls", "export", "--format", "jsonl").json_lines
    assert (line["caller"], line["campaign_id"], line["ended_at"]) == (CALLER.e164, 7, None)
    assert (line["started_at"], line["facts"]) == ("2026-03-04T12:00:00Z", {"number": "1 7 1"})
    assert list(line) == list(row)


def test_calls_come_in_the_order_of_logging(installation: Installation, typed: Typed) -> None:
    log(installation, {"started_at": NOW}, {"started_at": NOW - SECOND}, {"started_at": NOW + SECOND})
    assert [row["call_sid"] for row in table(typed("calls", "export"))] == ["CA0", "CA1", "CA2"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("--since 2026-03-04T12:00:00Z", ["CA1", "CA2"]),
        ("--since 2026-03-04T13:00:00+01:00", ["CA1", "CA2"]),
        ("--until 2026-03-04T12:00:00Z", ["CA0"]),
        ("--since 2026-03-04T12:00:00Z --until 2026-03-04T12:00:01Z", ["CA1"]),
        ("--since 2026-03-04T12:00:01Z --until 2026-03-04T12:00:00Z", []),
        ("", ["CA0", "CA1", "CA2"]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_since_is_included_and_until_is_not(
    installation: Installation, typed: Typed, options: str, wanted: list[str], form: str
) -> None:
    log(installation, {"started_at": NOW - SECOND}, {"started_at": NOW}, {"started_at": NOW + SECOND})
    told = typed("calls", "export", "--format", form, *options.split())
    rows = table(told) if form == "csv" else told.json_lines
    assert [row["call_sid"] for row in rows] == wanted


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1 (415) 555", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "+0123456789", "+1415555019212345"],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(
    installation: Installation, typed: Typed, text: str
) -> None:
    log(installation, {"caller_city": text, "campaign_external_id": text})
    (row,) = table(typed("calls", "export"))
    assert row["caller_city"] == row["campaign_external_id"] == "'" + text
    (line,) = typed("calls", "export", "--format", "jsonl").json_lines
    assert line["caller_city"] == text


@pytest.mark.parametrize(
    "text",
    [
        'quoted "city"',
        "comma, city",
        "two\nlines",
        "two\r\nlines",
        "a=b",
        "'",
        "",
        " -",
        "Zoë 🥐 東京",
        "\u2028",
        "+14155550123",
    ],
)
def test_other_text_comes_back_as_it_was(installation: Installation, typed: Typed, text: str) -> None:
    log(installation, {"caller_city": text})
    (row,) = table(typed("calls", "export"))
    assert row["caller_city"] == text
    (line,) = typed("calls", "export", "--format", "jsonl").json_lines
    assert line["caller_city"] == text


@given(st.text())
@settings(max_examples=200)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = safe(text) or ""
    assert cell in {text, "'" + text}
    assert cell[:1] not in {"=", "@", "-", "\t", "\r"}
    if cell.startswith("+"):
        assert PhoneNumber(cell).e164 == cell


def test_a_database_that_is_away_is_told_in_one_line(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/hookswitch.db")
    told = typed("calls", "export")
    assert told.status == 1
    assert told.complaint.startswith("hookswitch: the call log cannot be read (OperationalError); ")


def test_a_reader_that_has_enough_is_no_error_worth_words(installation: Installation) -> None:
    log(installation, *({"caller_city": "x" * 2000} for _ in range(300)))
    command = [sys.executable, "-m", "scripts.calls", "export"]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline().startswith(b"id,carrier,")
        export.stdout.close()
        assert export.stderr.read() == b""

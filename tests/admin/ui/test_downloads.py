"""Lists as files: whole, safe in a spreadsheet, and read back as they were."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from admin.ui import workbook
from admin.ui.downloads import Column, as_csv, as_xlsx, columns
from admin.ui.times import zone_named
from routing.numbers import PhoneNumber

BERLIN = zone_named("Europe/Berlin")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class Row:
    name: object
    number: object = None
    at: object = None


SHOWN: list[Column[Row]] = columns("name", "number", "at")
PHONE = PhoneNumber("+14155550190")
RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


def reread(*rows: Row) -> list[list[str]]:
    text = b"".join(as_csv([rows], SHOWN, BERLIN)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def sheet(data: bytes, number: int = 1) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        root = ET.fromstring(package.read(f"xl/worksheets/sheet{number}.xml"))
    return [["".join(cell.itertext()) for cell in row] for row in root.iter(f"{_MAIN}row")]


@pytest.mark.parametrize("text", RISKY)
def test_what_a_spreadsheet_would_reckon_with_is_text_inas_csv(text: str) -> None:
    assert reread(Row(text))[1][0] == f"'{text}"


@pytest.mark.parametrize("text", [*RISKY, 'He said "no", twice\nand left', "<b>&amp;", "Grüße 🙂"])
def test_text_comes_back_from_a_workbook_as_it_was(text: str) -> None:
    assert sheet(b"".join(as_xlsx([[Row(text)]], SHOWN, BERLIN)))[1][0] == text


def test_a_phone_number_stays_e164() -> None:
    row = Row("Leaflet", PHONE)
    assert reread(row)[1][1] == "+14155550190"
    assert sheet(b"".join(as_xlsx([[row]], SHOWN, BERLIN)))[1][1] == "+14155550190"


def test_an_instant_is_local_with_its_offset_in_csv_and_a_date_in_a_workbook() -> None:
    row = Row("Leaflet", None, datetime(2026, 7, 1, 7, 0, tzinfo=UTC))
    assert reread(row)[1][2] == "2026-07-01T09:00:00+02:00"
    assert sheet(b"".join(as_xlsx([[row]], SHOWN, BERLIN)))[1][2] == "46204.375000000"


def test_a_workbook_names_the_zone_of_its_times() -> None:
    data = b"".join(as_xlsx([], SHOWN, BERLIN))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert b"Times in Europe Berlin" in package.read("xl/workbook.xml")


def test_more_rows_than_a_sheet_takes_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    data = b"".join(workbook.written(["n"], [[[1], [2]], [[3], [4]], [[5]]], "UTC"))
    assert [sheet(data, number) for number in (1, 2, 3)] == [
        [["n"], ["1"], ["2"]],
        [["n"], ["3"], ["4"]],
        [["n"], ["5"]],
    ]


def test_a_file_is_sent_while_the_list_is_still_read() -> None:
    asked: list[int] = []

    def rows() -> Iterator[list[Row]]:
        for page in range(100):
            asked.append(page)
            yield [Row(str(page))]

    sent = as_csv(rows(), SHOWN, BERLIN)
    next(sent)
    assert asked == [0]

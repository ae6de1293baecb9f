"""A list as a file: CSV or XLSX, written while it is read, in constant memory and safe in a spreadsheet.

Columns have the names of the API. Phone numbers stay E.164 text; an instant is local time of the user
with its offset in CSV, and a date that can be reckoned with in XLSX, whose head names the zone.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from flask import Response, abort

from admin.ui import workbook
from admin.ui.frame import Asked, Frame
from routing.numbers import PhoneNumber

V = TypeVar("V")
Cell = str | int | float | bool | datetime | None

# What a spreadsheet would take for a formula (OWASP, "CSV injection"); a phone number is none.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take UTF-8 for something else."""


@dataclass(frozen=True, slots=True)
class Column(Generic[V]):
    name: str
    value: Callable[[V], object]


def columns(*names: str) -> list[Column[V]]:
    """Columns that are attributes of the rows."""
    return [Column(name, _attribute(name)) for name in names]


def download(
    frame: Frame, asked: Asked, file: str, rows: Iterable[Sequence[V]], shown: Sequence[Column[V]]
) -> Response:
    """The answer that sends all `rows` as `<name>.csv` or `<name>.xlsx`, dated. Raises `NoRoom`."""
    name, _, form = file.rpartition(".")
    writers = {
        "csv": (as_csv, "text/csv; charset=utf-8"),
        "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    }
    if form not in writers:
        abort(404)
    write, media_type = writers[form]
    place = ExitStack()
    place.enter_context(frame.downloading())  # before the status is sent: a process without room says so
    day = asked.now.astimezone(asked.zone).date()
    answer = Response(write(rows, shown, asked.zone), content_type=media_type)
    answer.call_on_close(place.close)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{day}.{form}"'
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def as_csv(rows: Iterable[Sequence[V]], shown: Sequence[Column[V]], zone: ZoneInfo) -> Iterator[bytes]:
    buffer = io.StringIO()
    line = csv.writer(buffer)
    buffer.write(_BYTE_ORDER_MARK)
    line.writerow(column.name for column in shown)
    for some in rows:
        line.writerows([_text(_plain(column.value(row)), zone) for column in shown] for row in some)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def as_xlsx(rows: Iterable[Sequence[V]], shown: Sequence[Column[V]], zone: ZoneInfo) -> Iterator[bytes]:
    def cells() -> Iterator[list[list[Cell]]]:
        for some in rows:
            yield [[_local(_plain(column.value(row)), zone) for column in shown] for row in some]

    yield from workbook.written([f"{column.name}" for column in shown], cells(), zone.key)


def _text(value: Cell, zone: ZoneInfo) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case int() | float():
            return str(value)
        case _:
            risky = _FORMULA.match(value) and not _E164.fullmatch(value)
            return f"'{value}" if risky else value


def _local(value: Cell, zone: ZoneInfo) -> Cell:
    """Without its zone: a spreadsheet knows none."""
    return value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) else value


def _plain(value: object) -> Cell:
    match value:
        case PhoneNumber():
            return value.e164
        case Enum():
            return str(value.value)
        case None | str() | bool() | int() | float() | datetime():
            return value
        case _:
            return str(value)


def _attribute(name: str) -> Callable[[V], object]:
    return lambda row: getattr(row, name)

"""Rows as CSV or JSON Lines, tens of thousands a second in constant memory, and safe in a spreadsheet."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import JSON, ColumnElement, DateTime, Integer, TypeDecorator

Form = Literal["csv", "jsonl"]
Pieces = Iterable[Sequence[Sequence[Any]]]
"""Rows, some thousand at a time."""

# OWASP, CSV injection: a spreadsheet runs a cell that begins with one of these.
_RISKY = frozenset("=+-@\t\r\n")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_encode_lines = msgspec.json.Encoder().encode_lines


def written(form: Form, columns: Sequence[ColumnElement[Any]], pieces: Pieces) -> Iterator[bytes]:
    """The file, piece by piece: a header and lines as RFC 4180 says, or an object a line.

    In CSV a cell that a spreadsheet would run as a formula gets an apostrophe in front; phone numbers
    stay as they are. Instants are RFC 3339 in UTC.
    """
    names = [str(column.key) for column in columns]
    if form == "csv":
        return _csv(names, [_way_into_cells(column) for column in columns], pieces)
    return _json_lines(names, pieces)


def safe(text: str | None) -> str | None:
    if text and text[0] in _RISKY and not _E164.fullmatch(text):
        return f"'{text}"
    return text


def _csv(
    names: Sequence[str], ways: Sequence[Callable[[Any], object] | None], pieces: Pieces
) -> Iterator[bytes]:
    buffer = io.StringIO()
    line = csv.writer(buffer)
    line.writerow(names)
    for rows in pieces:
        # Column by column, so that the loops run in C; the writer itself spells numbers and nothing.
        columns = [
            values if way is None else map(way, values)
            for way, values in zip(ways, zip(*rows, strict=True), strict=True)
        ]
        line.writerows(zip(*columns, strict=True))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _json_lines(names: Sequence[str], pieces: Pieces) -> Iterator[bytes]:
    for rows in pieces:
        yield _encode_lines([dict(zip(names, row, strict=True)) for row in rows])


def _way_into_cells(column: ColumnElement[Any]) -> Callable[[Any], object] | None:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    match kind:
        case Integer():
            return None
        case DateTime():
            return _instant
        case JSON():
            return _json
        case _:
            return safe


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()

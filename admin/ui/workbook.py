"""Writes an XLSX workbook row by row into a stream (ECMA-376, part 1, SpreadsheetML).

A workbook is a zip of XML files. Text is written in its cell ("inline"), so that nothing has to be kept
until the end, and is text whatever it begins with: no cell of ours is a formula.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from typing_extensions import Buffer

Cell = str | int | float | bool | datetime | None

MOST_ROWS = 1_048_576
"""Of one sheet, its head included; more go on in another sheet."""
_LONGEST_TEXT = 32_767
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets count local days from here
_SECONDS_OF_A_DAY = 86_400
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_HEAD_STYLE, _DATE_STYLE, _TEXT_STYLE = 1, 2, 3

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLES = (
    f'{_DECLARATION}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class _Pipe(io.RawIOBase):
    """What the zip writes, until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def written(head: Sequence[str], rows: Iterable[Sequence[Sequence[Cell]]], zone: str) -> Iterator[bytes]:
    """The bytes of a workbook as they come; dates are local times of `zone`, which names the sheet."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:
        waiting = iter(rows)
        left: Sequence[Sequence[Cell]] = ()
        sheets = 0
        while True:
            sheets += 1
            with package.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                sheet.write(_sheet_head(head))
                room = MOST_ROWS - 1
                while room:
                    left = left or next(waiting, ())
                    if not left:
                        break
                    now, left = left[:room], left[room:]
                    sheet.write("".join(map(_row, now)).encode())
                    room -= len(now)
                    yield pipe.taken()
                sheet.write(b"</sheetData></worksheet>")
            left = left or next(waiting, ())
            if not left:
                break
        for name, content in _frame(sheets, zone):
            package.writestr(name, content)
    yield pipe.taken()


def _sheet_head(head: Sequence[str]) -> bytes:
    cells = "".join(_cell(text, _HEAD_STYLE) for text in head)
    return (
        f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="{len(head)}" width="20" '
        f'customWidth="1"/></cols><sheetData><row>{cells}</row>'
    ).encode()


def _row(cells: Sequence[Cell]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: Cell, style: int = _TEXT_STYLE) -> str:
    match value:
        case None | "":
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case datetime():
            days = (value - _DAY_ZERO).total_seconds() / _SECONDS_OF_A_DAY
            # Before 1900 spreadsheets know no days.
            return f'<c s="{_DATE_STYLE}"><v>{days:.9f}</v></c>' if days > 0 else _cell(value.isoformat(" "))
        case int() | float():
            return f"<c><v>{value}</v></c>"
        case _:
            text = escape(_UNFIT.sub("\ufffd", value[:_LONGEST_TEXT]), {"\r": "&#13;"})
            return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _frame(sheets: int, zone: str) -> Iterator[tuple[str, str]]:
    """What a workbook has beside its sheets."""
    numbers = range(1, sheets + 1)
    named = "Times in " + re.sub(r"[\[\]:*?/\\]", " ", zone)
    titles = [(f"{number} " if number > 1 else "") + named for number in numbers]
    yield (
        "[Content_Types].xml",
        f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
            for number in numbers
        )
        + "</Types>",
    )
    yield "_rels/.rels", _related({"rId1": ("officeDocument", "xl/workbook.xml")})
    yield (
        "xl/workbook.xml",
        f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(title[:31])} sheetId="{number}" r:id="rId{number}"/>'
            for number, title in zip(numbers, titles, strict=True)
        )
        + "</sheets></workbook>",
    )
    parts = {f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in numbers}
    yield "xl/_rels/workbook.xml.rels", _related(parts | {f"rId{sheets + 1}": ("styles", "styles.xml")})
    yield "xl/styles.xml", _STYLES


def _related(parts: Mapping[str, tuple[str, str]]) -> str:
    """Which parts a part refers to, and as what."""
    lines = (
        f'<Relationship Id="{name}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for name, (kind, target) in parts.items()
    )
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(lines)}</Relationships>'

"""A report as a table: what stands in its cells, and which calls of the log are behind each figure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from admin.report_filters import Question
from admin.report_views import Report
from admin.ui.charts import KINDS, Chart, Kinds, Ranking, chart, ranking
from admin.ui.report_wording import difference

R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
Place = dict[str, str | None]
"""Filters of the call log; None: this one is not set, whatever the report was asked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Words or an instant, a line below them, and where they lead; `href` may be empty."""

    text: str
    href: str = ""
    below: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A column of figures, and the filters of the log that find their calls; None: it counts no calls."""

    name: str
    label: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Lead(Generic[T_contra]):
    """A column that says what a row is about."""

    head: str
    cell: Callable[[T_contra], Cell]


@dataclass(frozen=True, slots=True)
class Row:
    leads: list[Cell]
    figures: list[Cell]
    change: str


@dataclass(frozen=True, slots=True)
class Table:
    heads: list[str]
    """Of the leads."""
    counted: list[Counted]
    rows: list[Row]


CALLS = Counted("calls", "Calls", {})
OUTCOMES = tuple(Counted(name, label, {"outcome": name}) for name, label in KINDS)
ALWAYS = frozenset({"calls", "answered", "missed", "referral", "rejected"})
"""Columns that stand even where nothing is counted in them."""
_DRAWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet(Generic[R]):
    """How one report is shown and taken home."""

    name: str
    """In its address, of the page and of the API alike."""
    label: str
    title: str
    load: Callable[[Question], Report[R]]
    leads: Sequence[Lead[R]]
    place: Callable[[R], Place | None]
    """Which calls of the log a row counts; None: no filter finds them."""
    named_by: Sequence[str]
    """The attributes of a row that say what it is about, in a file."""
    bar: Callable[[R], str]
    """The label of a row in the chart."""
    stands: bool = False
    """Whether the bars stand beside each other, in the order of time, or lie below each other."""
    counted: Sequence[Counted] = (CALLS, *OUTCOMES)
    summed: Sequence[Counted] = (CALLS, *OUTCOMES)
    """The figures of the whole period that stand above."""
    against: str = "Against the period before"
    kinds: Kinds = KINDS
    """What the bars are made of."""
    intro: str = ""
    empty: str = "Nobody called in these days. Choose a longer period, or take a filter away."


def drawing(sheet: Sheet[R], report: Report[R]) -> Chart | Ranking:
    """The chart of a report; of a ranking its first rows."""
    rows: Sequence[Any] = report.items
    if sheet.stands:
        columns = [(sheet.bar(row), row) for row in rows]
        return chart(columns, sheet.kinds, [row.calls_before for row in rows])
    return ranking([(sheet.bar(row), row) for row in rows[:_DRAWN]], sheet.kinds)


def table(sheet: Sheet[R], report: Report[R], asked_for: Place) -> Table:
    """The cells of a report; `asked_for` finds its calls in the log. Empty outcomes have no column."""
    counted = [
        column
        for column in sheet.counted
        if column.name in ALWAYS
        or column not in OUTCOMES
        or any(getattr(row, column.name) for row in report.items)
    ]
    rows = list(_rows(sheet, report, counted, asked_for))
    return Table([lead.head for lead in sheet.leads], counted, rows)


def log_address(*places: Place) -> str:
    """The calls that all these filters find; a later one says what an earlier one said otherwise.

    Only what calls lack (`without`) adds up.
    """
    found: Place = {}
    for place in places:
        found |= place
    pairs = [(name, value) for name, value in found.items() if name != "without" and value is not None]
    pairs += [("without", lacking) for place in places if (lacking := place.get("without")) is not None]
    return f"/calls?{urlencode(pairs)}"


def period_of(report: Report[Any]) -> Place:
    """The period of a report as a filter of the log."""
    return {
        "started_from": report.period.first_day.isoformat(),
        "started_to": report.period.last_day.isoformat(),
    }


def _rows(sheet: Sheet[R], report: Report[R], counted: Sequence[Counted], asked_for: Place) -> Iterator[Row]:
    for row in report.items:
        place = sheet.place(row)
        figures: list[Cell] = []
        for column in counted:
            count: int = getattr(row, column.name)
            href = ""
            if count and place is not None and column.place is not None:
                href = log_address(period_of(report), asked_for, place, column.place)
            figures.append(Cell(f"{count:,}", href))
        now, before = getattr(row, "calls"), getattr(row, "calls_before")  # noqa: B009 - R is any kind of row
        yield Row([lead.cell(row) for lead in sheet.leads], figures, difference(now, before))

"""Which roll-ups a span of the log can be read from, and for which parts of it the log itself is read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Column, Date, Table, func, select
from sqlalchemy.orm import Session

from models.base import Base
from models.reporting.blocks import Grain, Level, blocks
from models.reporting.changes import changed_days, day_span
from models.reporting.newcomers import days_in_doubt
from models.reporting.period import Span, joined

_DAY = timedelta(days=1)

summed_months = Table("report_months", Base.metadata, Column("month", Date(), primary_key=True))
"""The first days of the months that have blocks of their own."""

READ_THE_LOG = "hookswitch_read_the_log"
"""Set in `Session.info`, it has reports read the log alone, to be held against."""
_LAST_ROLLED_UP = select(func.max(blocks.c.begins)).where(
    blocks.c.level == int(Level.ALL), blocks.c.grain == Grain.DAY.value
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Months and days (UTC) to be read from roll-ups, and spans to be read from the log: all of a span."""

    months: tuple[date, ...]
    days: tuple[date, ...]
    spans: tuple[Span, ...]
    unsettled: frozenset[date]
    """All days that have changed since they were rolled up, or are in doubt, wherever they lie."""

    @property
    def all_days(self) -> list[date]:
        """The days of the months too."""
        of_months = [day for month in self.months for day in days_of(month)]
        return sorted([*of_months, *self.days])


def coverage(session: Session, span: Span, *, callers: bool = False) -> Coverage:
    """As this snapshot has it; on SQLite everything is read from the log.

    With `callers` days are left to the log too that are right but for who rang for the first time.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if not is_postgresql or session.info.get(READ_THE_LOG) or span.begin >= span.end:
        return Coverage((), (), (span,), frozenset())
    changed = changed_days(session)
    if callers and changed:
        last = session.scalar(_LAST_ROLLED_UP)
        changed |= days_in_doubt(session, [day for day in changed if last is not None and day < last])
    first = span.begin.date() if span.begin == _midnight(span.begin.date()) else span.begin.date() + _DAY
    end = span.end.date()
    whole = [first + _DAY * number for number in range((end - first).days)]
    rolled_up = [day for day in whole if day not in changed]
    months = _whole_months(rolled_up, set(session.scalars(select(summed_months.c.month))))
    of_months = {day for month in months for day in days_of(month)}
    return Coverage(
        tuple(months),
        tuple(day for day in rolled_up if day not in of_months),
        tuple(_rest(span, set(rolled_up))),
        frozenset(changed),
    )


def days_of(month: date) -> list[date]:
    following = (month.replace(day=28) + 4 * _DAY).replace(day=1)
    return [month + _DAY * number for number in range((following - month).days)]


def _whole_months(days: list[date], summed: set[date]) -> list[date]:
    """Those of the `summed` months all of whose days are among `days`."""
    there = set(days)
    firsts = [day for day in days if day.day == 1 and day in summed]
    return [month for month in firsts if there.issuperset(days_of(month))]


def _rest(span: Span, without: set[date]) -> list[Span]:
    """The parts of a span that are not on those days."""
    found: list[Span] = []
    day = span.begin.date()
    while (of_day := day_span(day)).begin < span.end:
        if day not in without:
            found.append(Span(max(span.begin, of_day.begin), min(span.end, of_day.end)))
        day += _DAY
    return joined(found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

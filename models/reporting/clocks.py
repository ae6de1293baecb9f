"""What the clocks of a zone show at an instant, in SQL but by Python's zones, which are also the page's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, SQLColumnExpression, case, cast, func
from sqlalchemy.orm import Session

from models.reporting.period import Span

_DAY, _HOUR = 86_400, 3_600
_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Clocks:
    """A zone's clocks in a span; `changes` are instants (seconds since 1970) and the offset from then on."""

    first: int
    changes: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, zone: ZoneInfo, span: Span) -> "Clocks":
        begin, end = int(span.begin.timestamp()), int(span.end.timestamp())
        return cls(_offset(zone, begin), tuple(_changes(zone, begin, end)))

    def day(self, seconds: ColumnElement[Any]) -> ColumnElement[Any]:
        """The number of the day, since 1970, at so many seconds since 1970."""
        return (seconds + self._offset(seconds)) // _DAY

    def hour(self, seconds: ColumnElement[Any]) -> ColumnElement[Any]:
        """The hour, 0 to 23."""
        return (seconds + self._offset(seconds)) % _DAY // _HOUR

    def _offset(self, seconds: ColumnElement[Any]) -> ColumnElement[Any]:
        if not self.changes:
            return cast(self.first, Integer)
        return case(
            *((seconds >= at, offset) for at, offset in reversed(self.changes)),
            else_=self.first,
        )


def day_of(number: int) -> date:
    return _FIRST_DAY + timedelta(days=number)


def seconds_of(session: Session, instant: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Whole seconds since 1970, fractions cut off."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.floor(func.extract("epoch", instant)), Integer)
    return cast(func.strftime("%s", instant), Integer)


def _offset(zone: ZoneInfo, seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _changes(zone: ZoneInfo, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Clocks are changed at most once a day."""
    for day in range(begin, end, _DAY):
        low, high = day, min(day + _DAY, end)
        before, after = _offset(zone, low), _offset(zone, high)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
        yield high, after

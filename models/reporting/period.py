"""Days as an operator means them: in his time zone, where a day may have 23 or 25 hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

PeriodName = Literal["today", "yesterday", "7d", "30d", "90d", "this-month", "last-month"]
"""Periods that move on with the day on which they are asked for; the counted ones end with today."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`, the end excluded; both aware."""

    begin: datetime
    end: datetime


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same instants in as few spans as possible, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=attrgetter("begin")):
        if found and span.begin <= found[-1].end:
            found.append(Span(found[-1].begin, max(found.pop().end, span.end)))
        else:
            found.append(span)
    return found


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day; where its midnight is skipped, the instant of the jump."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included; `until` cuts off a part of the last."""

    first: date
    last: date
    zone: ZoneInfo
    until: datetime | None = None
    is_month: bool = False
    """A month or its beginning: before it comes the month before, however many days that has."""

    @property
    def days(self) -> list[date]:
        return list(_days(self.first, self.last))

    @property
    def span(self) -> Span:
        end = beginning(self.last + _ONE_DAY, self.zone)
        return Span(beginning(self.first, self.zone), end if self.until is None else min(end, self.until))

    @property
    def before(self) -> "Period":
        """As many days, right before; cut off at the same time of day where this one is not over."""
        if self.is_month:
            first = (self.first - _ONE_DAY).replace(day=1)
            last = self.first - _ONE_DAY
            if not self._is_over:
                last = min(last, first + (self.last - self.first))
        else:
            first, last = self.first - (self.last - self.first) - _ONE_DAY, self.first - _ONE_DAY
        until = None
        if self.until is not None and not self._is_over:
            clock = self.until.astimezone(self.zone).time()
            until = datetime.combine(last, clock, self.zone).astimezone(UTC)
        return Period(first, last, self.zone, until, self.is_month)

    @property
    def _is_over(self) -> bool:
        return self.until is None or self.until >= beginning(self.last + _ONE_DAY, self.zone)


def today(now: datetime, zone: ZoneInfo) -> Period:
    """The day so far."""
    day = now.astimezone(zone).date()
    return Period(day, day, zone, now)


def last_days(count: int, now: datetime, zone: ZoneInfo) -> Period:
    """So many days, today among them as far as it has come."""
    day = now.astimezone(zone).date()
    return Period(day - timedelta(days=count - 1), day, zone, now)


def named(name: PeriodName, now: datetime, zone: ZoneInfo) -> Period:
    """The period that a name means at `now`."""
    day = now.astimezone(zone).date()
    match name:
        case "today":
            return today(now, zone)
        case "yesterday":
            return Period(day - _ONE_DAY, day - _ONE_DAY, zone)
        case "7d" | "30d" | "90d":
            return last_days(int(name.removesuffix("d")), now, zone)
        case "this-month":
            return Period(day.replace(day=1), day, zone, now, is_month=True)
        case "last-month":
            last = day.replace(day=1) - _ONE_DAY
            return Period(last.replace(day=1), last, zone, is_month=True)
        case _:
            assert_never(name)


def between(first: date, last: date, now: datetime, zone: ZoneInfo) -> Period:
    """The days from `first` to `last`, as far as they have come; `first` must have begun."""
    day = now.astimezone(zone).date()
    return Period(first, last, zone) if last < day else Period(first, day, zone, now)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)

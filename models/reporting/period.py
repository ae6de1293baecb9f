"""Days as an operator means them: in his time zone, where a day may have 23 or 25 hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo


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

    @property
    def days(self) -> list[date]:
        return list(_days(self.first, self.last))

    @property
    def span(self) -> Span:
        end = beginning(self.last + timedelta(days=1), self.zone)
        return Span(beginning(self.first, self.zone), end if self.until is None else min(end, self.until))

    @property
    def before(self) -> "Period":
        """As many days, right before; cut off at the same time of day where this one is not over."""
        count = timedelta(days=len(self.days))
        until = None
        if self.until is not None and self.until < beginning(self.last + timedelta(days=1), self.zone):
            local = self.until.astimezone(self.zone)
            until = (local.replace(tzinfo=None) - count).replace(tzinfo=self.zone).astimezone(UTC)
        return Period(self.first - count, self.last - count, self.zone, until)


def today(now: datetime, zone: ZoneInfo) -> Period:
    """The day so far."""
    day = now.astimezone(zone).date()
    return Period(day, day, zone, now)


def last_days(count: int, now: datetime, zone: ZoneInfo) -> Period:
    """So many days, today among them as far as it has come."""
    day = now.astimezone(zone).date()
    return Period(day - timedelta(days=count - 1), day, zone, now)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)

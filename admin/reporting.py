"""Reports: what the call log adds up to in a period, as tables that pages show and programs fetch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, assert_never
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Reading
from admin.lists.visible import visible
from admin.periods import Period
from models import report, report_callers
from models.call import Call
from models.campaign import Campaign
from models.group import Group
from models.report import Conditions, Tally
from models.report_callers import FirstAndRepeat, Vain

MOST_DAYS = 366
MOST_ROWS = 10_000
HOURS = 24
_KNOWN_YEARS = range(2000, 2201)

TableName = Literal[
    "days", "hours", "campaigns", "numbers", "groups", "regions", "ended-numbers", "ended-callers"
]
Kind = Literal["text", "count", "id", "number", "moment", "day"]


class ReportFilters(Draft):
    """Which calls a report is about, read from an address; days are those of the actor's time zone."""

    model_config = ConfigDict(strict=False)

    first: Annotated[date, Field(description="the first day of the period")]
    last: Annotated[date, Field(description="its last day, which belongs to it")]
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    campaign_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the one of API and CSV."""

    name: str
    label: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows have a value for each column."""

    name: TableName
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class About:
    """What was asked for, checked."""

    period: Period
    conditions: Conditions


_COUNTS = (
    Column("calls", "Calls", "count"),
    Column("connect", "Connected", "count"),
    Column("answered", "Answered", "count"),
    Column("missed", "Missed", "count"),
    Column("referral", "Referral", "count"),
    Column("reject", "Rejected", "count"),
    Column("apology", "Apology", "count"),
)
_CAMPAIGN = (
    Column("campaign_id", "Campaign ID", "id"),
    Column("campaign_external_id", "External ID"),
    Column("campaign_name", "Campaign"),
)


def about(session: Session, actor: Actor, raw: object, now: datetime) -> About:
    """Read a `ReportFilters`; raise `Invalid`. What the actor does not see has no calls."""
    reading = Reading()
    filters = reading.read(ReportFilters, raw)
    for name in ("first", "last"):
        day = filters.sent.get(name)
        if day is not None and day.year not in _KNOWN_YEARS:
            reading.add(name, "is no day of our time")
    if not reading.errors and filters.last < filters.first:
        reading.add("last", "lies before the first day")
    if not reading.errors and filters.last - filters.first >= timedelta(days=MOST_DAYS):
        reading.add("last", f"is too far from the first; a report is about {MOST_DAYS} days at most")
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    conditions = seen.among(Call.group_id)
    if filters.campaign_id is not None:
        conditions.append(Call.campaign_id == filters.campaign_id)
    return About(Period(filters.first, filters.last, ZoneInfo(actor.time_zone), now), conditions)


def totals(session: Session, asked: About) -> tuple[Tally, Tally]:
    """Of the period, and of the one before it."""
    now, before = asked.period, asked.period.before
    return (
        report.totals(session, now.span, asked.conditions),
        report.totals(session, before.span, asked.conditions),
    )


def callers(session: Session, asked: About) -> tuple[FirstAndRepeat, FirstAndRepeat]:
    """Of the period, and of the one before it."""
    now, before = asked.period, asked.period.before
    return (
        report_callers.first_and_repeat(session, now.span, asked.conditions),
        report_callers.first_and_repeat(session, before.span, asked.conditions),
    )


def table(session: Session, asked: About, name: TableName, limit: int = MOST_ROWS) -> Table:
    """A table, of things and callers the `limit` rows with most calls."""
    span, conditions = asked.period.span, asked.conditions
    match name:
        case "days":
            days = by_day(session, asked.period, conditions)
            return Table(name, _columns(Column("day", "Day", "day")), [(day, *_counts(t)) for day, t in days])
        case "hours":
            hours = by_hour(session, asked.period, conditions)
            rows = [(f"{hour:02}:00", *_counts(tally)) for hour, tally in enumerate(hours)]
            return Table(name, _columns(Column("hour", "Hour")), rows)
        case "campaigns":
            found = report.by_campaign(session, span, conditions, limit)
            named = _campaigns(session, [key[0] for key, _ in found])
            rows = [(*named[key[0]], *_counts(tally)) for key, tally in found]
            return Table(name, _columns(*_CAMPAIGN), rows)
        case "numbers":
            found = report.by_number(session, span, conditions, limit)
            named = _campaigns(session, [key[1] for key, _ in found])
            rows = [(key[0], *named[key[1]], *_counts(tally)) for key, tally in found]
            return Table(name, _columns(_NUMBER, *_CAMPAIGN), rows)
        case "groups":
            found = report.by_group(session, span, conditions, limit)
            names = _groups(session, [key[0] for key, _ in found])
            rows = [(*names[key[0]], *_counts(tally)) for key, tally in found]
            return Table(name, _columns(*_GROUP), rows)
        case "regions":
            found = report.by_region(session, span, conditions, limit)
            return Table(name, _columns(*_REGION), [(*key, *_counts(tally)) for key, tally in found])
        case "ended-numbers":
            numbers = report_callers.numbers_in_vain(session, span, conditions, limit)
            return Table(name, (_NUMBER, *_CAMPAIGN, *_IN_VAIN, *_VAIN), _vain_rows(session, numbers))
        case "ended-callers":
            who = report_callers.callers_in_vain(session, span, conditions, limit)
            rows = [(vain.number, vain.calls, vain.others, vain.last_at) for vain in who]
            return Table(name, (_CALLER, *_DIALLED), rows)
        case _:
            assert_never(name)


def by_day(session: Session, period: Period, conditions: Conditions) -> list[tuple[date, Tally]]:
    """Every day of the period; each has all its hours, 23 or 25 where the clocks are changed."""
    found = dict.fromkeys(period.days, Tally())
    for step, tally in report.by_step(session, period.span, conditions, period.step).items():
        found[step.astimezone(period.zone).date()] += tally
    return list(found.items())


def by_hour(session: Session, period: Period, conditions: Conditions) -> list[Tally]:
    """The 24 hours that the clocks show, over all days of the period."""
    found = [Tally()] * HOURS
    for step, tally in report.by_step(session, period.span, conditions, period.step).items():
        found[step.astimezone(period.zone).hour] += tally
    return found


_NUMBER = Column("tracking_number", "Tracking number", "number")
_CALLER = Column("caller", "Caller", "number")
_GROUP = (Column("group_id", "Group ID", "id"), Column("group_name", "Group"))
_REGION = (Column("caller_country", "Country"), Column("caller_state", "State or region"))
_IN_VAIN = (Column("reason", "Reason"),)
_VAIN = (
    Column("calls", "Calls", "count"),
    Column("callers", "Callers", "count"),
    Column("last_call_at", "Last call", "moment"),
)
_DIALLED = (
    Column("calls", "Calls", "count"),
    Column("tracking_numbers", "Numbers dialled", "count"),
    Column("last_call_at", "Last call", "moment"),
)


def _columns(*keys: Column) -> tuple[Column, ...]:
    return *keys, *_COUNTS


def _counts(tally: Tally) -> tuple[int, ...]:
    return (
        tally.calls,
        tally.connected,
        tally.answered,
        tally.missed,
        tally.referral,
        tally.rejected,
        tally.apology,
    )


def _campaigns(session: Session, ids: Sequence[int | None]) -> dict[int | None, tuple[Any, ...]]:
    """The first columns of a campaign's row, by id; None where calls were for none."""
    wanted = select(Campaign.id, Campaign.external_id, Campaign.name).where(
        Campaign.id.in_(set(ids) - {None})
    )
    found: dict[int | None, tuple[Any, ...]] = {each: (each, None, None) for each in ids}
    return found | {row.id: tuple(row) for row in session.execute(wanted)}


def _groups(session: Session, ids: Sequence[int | None]) -> dict[int | None, tuple[Any, ...]]:
    wanted = select(Group.id, Group.name).where(Group.id.in_(set(ids) - {None}))
    found: dict[int | None, tuple[Any, ...]] = {each: (each, None) for each in ids}
    return found | {row.id: tuple(row) for row in session.execute(wanted)}


def _vain_rows(session: Session, found: Sequence[Vain]) -> list[tuple[Any, ...]]:
    named = _campaigns(session, [vain.campaign_id for vain in found])
    return [
        (vain.number, *named[vain.campaign_id], vain.reason, vain.calls, vain.others, vain.last_at)
        for vain in found
    ]

"""The questions that reports answer: how many calls, when, of which campaigns, from where, by whom.

All of them take whose calls (`Scope`) and which days (`Period`). Rows of a ranking come most called
first; `limit` None gives all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models.campaign import Campaign
from models.group import Group
from models.reporting.blocks import COUNTS
from models.reporting.clocks import Clocks, day_of
from models.reporting.period import Period
from models.reporting.scope import Scope
from models.reporting.source import TALLY, counts_by, counts_by_time, summed
from models.reporting.tally import Callers, Tally
from routing.numbers import PhoneNumber

_HOURS = 24
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Totals:
    """All calls of a scope in a period."""

    tally: Tally
    callers: Callers


@dataclass(frozen=True, slots=True)
class Ranking(Generic[R]):
    """The first rows of a ranking, and how many it has."""

    rows: list[R]
    count: int


@dataclass(frozen=True, slots=True)
class CampaignCalls:
    """The calls of one campaign; None: of numbers that were on none. Its names are those of now."""

    campaign_id: int | None
    external_id: str | None
    name: str | None
    tally: Tally
    callers: Callers


@dataclass(frozen=True, slots=True)
class NumberCalls:
    """The calls of one number while it was on one campaign; `number` None: what was dialled is none."""

    number: PhoneNumber | None
    campaign_id: int | None
    campaign_external_id: str | None
    campaign_name: str | None
    tally: Tally
    callers: Callers


@dataclass(frozen=True, slots=True)
class GroupCalls:
    """The calls of one group, those of the groups below it left out; None: of numbers that are not ours."""

    group_id: int | None
    external_id: str | None
    name: str | None
    tally: Tally
    callers: Callers


@dataclass(frozen=True, slots=True)
class RegionCalls:
    """The calls from one place, as the carrier tells it; None: it did not."""

    country: str | None
    state: str | None
    tally: Tally


def totals(session: Session, scope: Scope, period: Period) -> Totals:
    counts = counts_by(session, scope, period.span, ())
    return Totals(*_figures(session.execute(select(*summed(counts))).one(), 0))


def by_day(session: Session, scope: Scope, period: Period) -> dict[date, Tally]:
    """Every day of the period, in order."""
    counts = counts_by_time(session, scope, period.span)
    day = Clocks.of(period.zone, period.span).day(counts.c.seconds).label("day")
    found = {
        day_of(row[0]): Tally(*row[1:])
        for row in session.execute(select(day, *summed(counts, TALLY)).group_by(day))
    }
    return {day: found.get(day, Tally()) for day in period.days}


def by_hour(session: Session, scope: Scope, period: Period) -> list[Tally]:
    """The 24 hours that the clocks show, over all days of the period."""
    counts = counts_by_time(session, scope, period.span)
    hour = Clocks.of(period.zone, period.span).hour(counts.c.seconds).label("hour")
    found = {
        row[0]: Tally(*row[1:])
        for row in session.execute(select(hour, *summed(counts, TALLY)).group_by(hour))
    }
    return [found.get(hour, Tally()) for hour in range(_HOURS)]


def by_campaign(
    session: Session, scope: Scope, period: Period, limit: int | None = None
) -> Ranking[CampaignCalls]:
    rows, count = _ranked(session, scope, period, ("campaign_id",), limit)
    campaigns = _campaigns(session, {row[0] for row in rows})
    ranked = [CampaignCalls(row[0], *campaigns.get(row[0], (None, None)), *_figures(row, 1)) for row in rows]
    return Ranking(ranked, count)


def by_number(
    session: Session, scope: Scope, period: Period, limit: int | None = None
) -> Ranking[NumberCalls]:
    rows, count = _ranked(session, scope, period, ("number", "campaign_id"), limit)
    campaigns = _campaigns(session, {row[1] for row in rows})
    ranked = [
        NumberCalls(row[0], row[1], *campaigns.get(row[1], (None, None)), *_figures(row, 2)) for row in rows
    ]
    return Ranking(ranked, count)


def by_group(session: Session, scope: Scope, period: Period, limit: int | None = None) -> Ranking[GroupCalls]:
    rows, count = _ranked(session, scope, period, ("group_id",), limit)
    wanted = select(Group.id, Group.external_id, Group.name).where(Group.id.in_({row[0] for row in rows}))
    groups = {row.id: (row.external_id, row.name) for row in session.execute(wanted)}
    ranked = [GroupCalls(row[0], *groups.get(row[0], (None, None)), *_figures(row, 1)) for row in rows]
    return Ranking(ranked, count)


def by_region(
    session: Session, scope: Scope, period: Period, limit: int | None = None
) -> Ranking[RegionCalls]:
    rows, count = _ranked(session, scope, period, ("country", "state"), limit, counted=TALLY)
    return Ranking([RegionCalls(row[0], row[1], Tally(*row[2:-1])) for row in rows], count)


def _ranked(
    session: Session,
    scope: Scope,
    period: Period,
    names: Sequence[str],
    limit: int | None,
    *,
    counted: Sequence[str] = COUNTS,
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    counts = counts_by(session, scope, period.span, names, counted)
    keys = [counts.c[name] for name in names]
    ranking = select(*keys, *summed(counts, counted)).group_by(*keys).subquery("ranking")
    order = (ranking.c.calls.desc(), *(ranking.c[name].asc().nulls_last() for name in names))
    # Counted beside, not by a second query: all rows are made anyway.
    wanted = select(ranking, func.count().over()).order_by(*order).limit(limit)
    rows = session.execute(wanted).all()
    return rows, rows[0][-1] if rows else 0


def _campaigns(session: Session, ids: set[int | None]) -> dict[int | None, tuple[str | None, str | None]]:
    """External id and name of campaigns."""
    wanted = select(Campaign.id, Campaign.external_id, Campaign.name).where(Campaign.id.in_(ids - {None}))
    return {row.id: (row.external_id, row.name) for row in session.execute(wanted)}


def _figures(row: Row[*tuple[Any, ...]], first: int) -> tuple[Tally, Callers]:
    """The tally and the callers that stand in a row from column `first` on, as `COUNTS`."""
    tally = Tally(*row[first : first + len(TALLY)])
    first_time, withheld = row[first + len(TALLY) : first + len(COUNTS)]
    return tally, Callers(first_time, tally.calls - first_time - withheld, withheld)

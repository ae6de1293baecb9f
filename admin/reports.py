"""Reports: what the calls of a period add up to, held against the period before.

Each answers a `Question` of `report_filters`, which sees the calls of the asker's subtree alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.lists.visible import visible
from admin.report_filters import Question
from admin.report_views import (
    CallersRow,
    CampaignRow,
    DayRow,
    EndedRow,
    GroupRow,
    HourRow,
    NumberRow,
    PeriodView,
    RegionRow,
    Report,
    Sums,
    caller_figures,
    change,
    figures,
)
from models.reporting import reports
from models.reporting.earlier import earlier_calls
from models.reporting.period import Period, beginning
from models.reporting.reports import CampaignCalls, Ranking, Totals
from models.reporting.scope import Scope
from models.reporting.tally import Tally
from models.reporting.vain import Vain, calls_in_vain, count_in_vain, numbers_in_vain
from models.tracking_number import TrackingNumber
from routing.numbers import PhoneNumber

_AT_ONCE = 1_000
"""Numbers that one query looks up."""


class _Counted(Protocol):
    @property
    def tally(self) -> Tally: ...


R = TypeVar("R")
C = TypeVar("C", bound=_Counted)
Ask = Callable[[Session, Scope, Period, int | None], Ranking[C]]


def days(asked: Question) -> Report[DayRow]:
    """Calls per day."""
    zone = asked.period.zone
    found = reports.by_day(asked.session, asked.scope, asked.period)
    before = [tally.calls for tally in reports.by_day(asked.session, asked.scope, asked.before).values()]
    rows = [
        DayRow(
            day=day,
            begins_at=beginning(day, zone),
            ends_at=beginning(day + timedelta(days=1), zone),
            **figures(tally),
            **change(tally.calls, calls),
        )
        for (day, tally), calls in zip_longest(found.items(), before[: len(found)])
    ]
    return _report(asked, rows, len(rows))


def hours(asked: Question) -> Report[HourRow]:
    """Calls per hour that the clocks show."""
    found = reports.by_hour(asked.session, asked.scope, asked.period)
    before = reports.by_hour(asked.session, asked.scope, asked.before)
    rows = [
        HourRow(hour=hour, **figures(tally), **change(tally.calls, earlier.calls))
        for hour, (tally, earlier) in enumerate(zip(found, before, strict=True))
    ]
    return _report(asked, rows, len(rows))


def campaigns(asked: Question) -> Report[CampaignRow]:
    """Calls by campaign."""
    pairs, count = _ranked(asked, reports.by_campaign, "campaign_id")
    rows = [
        CampaignRow(**_campaign(row), **figures(row.tally), **change(row.tally.calls, before))
        for row, before in pairs
    ]
    return _report(asked, rows, count)


def callers(asked: Question) -> Report[CallersRow]:
    """First-time and repeat callers, by campaign."""
    pairs, count = _ranked(asked, reports.by_campaign, "campaign_id")
    rows = [
        CallersRow(
            calls=row.tally.calls,
            **_campaign(row),
            **caller_figures(row.callers),
            **change(row.tally.calls, before),
        )
        for row, before in pairs
    ]
    return _report(asked, rows, count)


def numbers(asked: Question) -> Report[NumberRow]:
    """Calls by tracking number."""
    pairs, count = _ranked(asked, reports.by_number, "number", "campaign_id")
    held = _held(asked, [row.number for row, _ in pairs])
    rows = [
        NumberRow(
            number=row.number,
            **_number(held, row.number),
            campaign_id=row.campaign_id,
            campaign_name=row.campaign_name,
            campaign_external_id=row.campaign_external_id,
            **figures(row.tally),
            **change(row.tally.calls, before),
        )
        for row, before in pairs
    ]
    return _report(asked, rows, count)


def groups(asked: Question) -> Report[GroupRow]:
    """Calls by group, each without those below it."""
    pairs, count = _ranked(asked, reports.by_group, "group_id")
    rows = [
        GroupRow(
            group_id=row.group_id,
            group_name=row.name,
            group_external_id=row.external_id,
            **figures(row.tally),
            **change(row.tally.calls, before),
        )
        for row, before in pairs
    ]
    return _report(asked, rows, count)


def regions(asked: Question) -> Report[RegionRow]:
    """Calls by where the caller rings from."""
    pairs, count = _ranked(asked, reports.by_region, "country", "state")
    rows = [
        RegionRow(
            country=row.country, state=row.state, **figures(row.tally), **change(row.tally.calls, before)
        )
        for row, before in pairs
    ]
    return _report(asked, rows, count)


def ended_numbers(asked: Question) -> Report[EndedRow]:
    """Numbers that are over and are dialled all the same."""
    shown = numbers_in_vain(asked.session, asked.scope, asked.period, asked.limit)
    dialled = [vain.number for vain in shown]
    before = calls_in_vain(asked.session, asked.scope, asked.before, dialled)
    held = _held(asked, dialled)
    rows = [
        EndedRow(
            number=vain.number,
            **_number(held, vain.number),
            campaign_id=vain.campaign_id,
            campaign_name=vain.campaign_name,
            campaign_external_id=vain.campaign_external_id,
            reason=vain.reason or "",
            calls=vain.calls,
            callers=vain.callers,
            last_at=vain.last_at,
            **change(vain.calls, before.get(_key_of(vain), 0)),
        )
        for vain in shown
    ]
    return _report(asked, rows, count_in_vain(asked.session, asked.scope, asked.period))


def _ranked(asked: Question, ask: Ask[C], *names: str) -> tuple[list[tuple[C, int]], int]:
    """Rows, each with its calls in the period before, where `names` name the same; and how many there are."""

    def key(row: C) -> tuple[object, ...]:
        return tuple(getattr(row, name) for name in names)

    found = ask(asked.session, asked.scope, asked.period, asked.limit)
    before = earlier_calls(asked.session, asked.scope, asked.before, names, [key(row) for row in found.rows])
    return [(row, before.get(key(row), 0)) for row in found.rows], found.count


def _report(asked: Question, rows: Iterable[R], count: int) -> Report[R]:
    """With the totals; rows are right already, and may be many: they are not validated again."""
    return Report[Any].model_construct(
        time_zone=asked.period.zone.key,
        period=PeriodView.of(asked.period),
        before=PeriodView.of(asked.before),
        campaign=asked.campaign,
        number=asked.scope.number,
        group_id=asked.group_id,
        subgroups=asked.subgroups,
        totals=_sums(reports.totals(asked.session, asked.scope, asked.period)),
        totals_before=_sums(reports.totals(asked.session, asked.scope, asked.before)),
        rows=count,
        items=list(rows),
    )


def _sums(totals: Totals) -> Sums:
    return Sums(**figures(totals.tally), **caller_figures(totals.callers))


def _campaign(row: CampaignCalls) -> dict[str, Any]:
    return {
        "campaign_id": row.campaign_id,
        "campaign_name": row.name,
        "campaign_external_id": row.external_id,
    }


def _key_of(vain: Vain) -> tuple[object, ...]:
    return vain.number, vain.campaign_id, vain.reason


Held = dict[PhoneNumber, tuple[int, str]]


def _held(asked: Question, dialled: Sequence[PhoneNumber | None]) -> Held:
    """Id and name of those numbers that the actor sees, of their last holding."""
    seen = visible(asked.session, asked.actor).among(TrackingNumber.group_id)
    found: Held = {}
    for some in _parts(sorted({number for number in dialled if number is not None})):
        rows = asked.session.execute(
            select(TrackingNumber.number, TrackingNumber.id, TrackingNumber.name)
            .where(TrackingNumber.number.in_(some), *seen)
            .order_by(TrackingNumber.id)
        )
        found |= {row.number: (row.id, row.name) for row in rows}
    return found


def _number(held: Held, number: PhoneNumber | None) -> dict[str, Any]:
    number_id, name = (None, None) if number is None else held.get(number, (None, None))
    return {"number_id": number_id, "number_name": name}


def _parts(numbers: Sequence[PhoneNumber]) -> Iterator[Sequence[PhoneNumber]]:
    for begin in range(0, len(numbers), _AT_ONCE):
        yield numbers[begin : begin + _AT_ONCE]

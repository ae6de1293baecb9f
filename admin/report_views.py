"""What reports say: figures of a period, held against the period before, in all and row by row."""

from datetime import date
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import Field

from admin.drafts import Instant, Phone
from admin.views import View
from models.reporting.period import Period
from models.reporting.tally import Callers, Tally

R_co = TypeVar("R_co", covariant=True)


class Figures(View):
    """Calls, and what became of them; the six below `calls` sum up to it."""

    calls: int
    answered: Annotated[int, Field(description="connected, and the business picked up")]
    missed: Annotated[int, Field(description="connected, and it did not")]
    open: Annotated[int, Field(description="connected, and nothing is known of the end yet")]
    referral: Annotated[int, Field(description="heard whom to call instead")]
    rejected: int
    apology: Annotated[int, Field(description="could not be put through, by a fault on our side")]


class CallerFigures(View):
    """Calls by who rang; the three sum up to all calls."""

    first_time: Annotated[int, Field(description="the first call of this caller to this group")]
    repeat: int
    withheld: Annotated[int, Field(description="without the caller's number")]


class Change(View):
    """How the calls of a row stand against the period before."""

    calls_before: Annotated[int | None, Field(description="in the period before; null: it has no such day")]
    change: Annotated[int | None, Field(description="how many calls more than before; negative: fewer")]
    change_percent: Annotated[float | None, Field(description="null where there were none before")]


class PeriodView(View):
    """Days of the time zone, both included, and their instants, `ends_at` excluded."""

    first_day: date
    last_day: date
    begins_at: Instant
    ends_at: Annotated[Instant, Field(description="now, where the last day is not over")]

    @classmethod
    def of(cls, period: Period) -> Self:
        span = period.span
        return cls(first_day=period.first, last_day=period.last, begins_at=span.begin, ends_at=span.end)


class CampaignNamed(View):
    id: int
    name: str
    external_id: str | None


class Sums(Figures, CallerFigures):
    """What a period adds up to."""


class Report(View, Generic[R_co]):
    """A report: what it is about, what it adds up to, and its rows."""

    time_zone: str
    period: PeriodView
    before: Annotated[PeriodView, Field(description="the period that it is held against")]
    campaign: Annotated[CampaignNamed | None, Field(description="the one that was asked for, if any was")]
    number: Annotated[Phone | None, Field(description="the one that was asked for, if any was")]
    group_id: Annotated[int | None, Field(description="the one that was asked for, if you see it")]
    subgroups: Annotated[bool, Field(description="whether the groups below it are counted too")]
    totals: Sums
    totals_before: Sums
    rows: Annotated[int, Field(description="how many rows there are, whatever the `limit`")]
    items: list[R_co]


class DayRow(Figures, Change):
    """A day, held against the day at the same place in the period before."""

    day: date
    begins_at: Instant
    ends_at: Instant


class HourRow(Figures, Change):
    """An hour that the clocks show, over all days of the period."""

    hour: Annotated[int, Field(ge=0, le=23)]


class OfCampaign(View):
    """Which campaign; its names are those of now. Nulls: none, or one that is not there any more."""

    campaign_id: int | None
    campaign_name: str | None
    campaign_external_id: str | None


class CampaignRow(Figures, Change, OfCampaign):
    """A campaign; nulls stand for the calls that belong to none."""


class CallersRow(CallerFigures, Change, OfCampaign):
    """Who rang a campaign: the first time, again, or without a number."""

    calls: int


class NumberRow(Figures, Change, OfCampaign):
    """A tracking number on a campaign: one that was moved has a row for each."""

    number: Annotated[Phone | None, Field(description="null: what was dialled is no phone number")]
    number_id: Annotated[int | None, Field(description="null: it is not held by a group that you see")]
    number_name: str | None


class GroupRow(Figures, Change):
    """A group without those below it; nulls stand for the calls that belong to none."""

    group_id: int | None
    group_name: str | None
    group_external_id: str | None


class RegionRow(Figures, Change):
    """Where callers ring from, as the carrier says; nulls where it does not."""

    country: str | None
    state: str | None


class EndedRow(Change, OfCampaign):
    """A number that is over and is dialled all the same."""

    number: Phone | None
    number_id: int | None
    number_name: str | None
    reason: Annotated[str, Field(description="why it reaches nobody: `ended`, `released`, …")]
    calls: int
    callers: Annotated[int, Field(description="different ones, those who withheld their number left out")]
    last_at: Instant


def figures(tally: Tally) -> dict[str, Any]:
    """The fields of `Figures`."""
    return {name: getattr(tally, name) for name in Figures.model_fields}


def caller_figures(callers: Callers) -> dict[str, Any]:
    """The fields of `CallerFigures`."""
    return {name: getattr(callers, name) for name in CallerFigures.model_fields}


def change(calls: int, before: int | None) -> dict[str, Any]:
    """The fields of a `Change`."""
    more = None if before is None else calls - before
    percent = None if more is None or not before else round(more / before * 100, 1)
    return {"calls_before": before, "change": more, "change_percent": percent}

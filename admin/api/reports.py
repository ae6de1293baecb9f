"""`/api/v1/reports/…`."""

from collections.abc import Callable
from typing import Any, TypeVar

from admin import report_filters
from admin import reports as use_cases
from admin.api.operations import Asked, Resource
from admin.report_filters import Question, ReportFilters
from admin.report_views import (
    CallersRow,
    CampaignRow,
    DayRow,
    EndedRow,
    GroupRow,
    HourRow,
    NumberRow,
    RegionRow,
    Report,
)

R = TypeVar("R")

reports = Resource(
    "reports",
    "Reports",
    "What the calls of a period add up to, held against the period before. "
    "Days and hours are those of a time zone, your user's unless you name another.",
)

FIGURES: dict[str, Any] = {
    "calls": 120,
    "answered": 84,
    "missed": 21,
    "open": 1,
    "referral": 9,
    "rejected": 5,
    "apology": 0,
}
_CALLERS: dict[str, Any] = {"first_time": 66, "repeat": 47, "withheld": 7}
_CHANGE: dict[str, Any] = {"calls_before": 100, "change": 20, "change_percent": 20.0}
_CAMPAIGN: dict[str, Any] = {
    "campaign_id": 7,
    "campaign_name": "Summer leaflet",
    "campaign_external_id": "SL-2026",
}
_NUMBER: dict[str, Any] = {"number": "+15005550100", "number_id": 11, "number_name": "Front page"}


def _example(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "time_zone": "Europe/Berlin",
        "period": {
            "first_day": "2026-07-01",
            "last_day": "2026-07-31",
            "begins_at": "2026-06-30T22:00:00Z",
            "ends_at": "2026-07-31T22:00:00Z",
        },
        "before": {
            "first_day": "2026-06-01",
            "last_day": "2026-06-30",
            "begins_at": "2026-05-31T22:00:00Z",
            "ends_at": "2026-06-30T22:00:00Z",
        },
        "campaign": {"id": 7, "name": "Summer leaflet", "external_id": "SL-2026"},
        "number": None,
        "group_id": None,
        "subgroups": True,
        "totals": FIGURES | _CALLERS,
        "totals_before": FIGURES | _CALLERS | {"calls": 100, "answered": 64, "first_time": 46},
        "rows": 1,
        "items": [row],
    }


def _answer(asked: Asked, load: Callable[[Question], Report[R]]) -> Report[R]:
    return load(report_filters.read(asked.session, asked.actor, asked.query, asked.now))


@reports.get(
    "/days",
    query=ReportFilters,
    answers=Report[DayRow],
    example=_example(
        {
            "day": "2026-07-01",
            "begins_at": "2026-06-30T22:00:00Z",
            "ends_at": "2026-07-01T22:00:00Z",
            **FIGURES,
            **_CHANGE,
        }
    ),
)
def report_days(asked: Asked) -> Report[DayRow]:
    """Count calls per day.

    Each day is held against the one at its place in the period before; days without calls are there too.
    """
    return _answer(asked, use_cases.days)


@reports.get(
    "/hours",
    query=ReportFilters,
    answers=Report[HourRow],
    example=_example({"hour": 9, **FIGURES, **_CHANGE}),
)
def report_hours(asked: Asked) -> Report[HourRow]:
    """Count calls per hour of the day.

    The 24 hours that the clocks show, over all days of the period.
    """
    return _answer(asked, use_cases.hours)


@reports.get(
    "/campaigns",
    query=ReportFilters,
    answers=Report[CampaignRow],
    example=_example(_CAMPAIGN | FIGURES | _CHANGE),
)
def report_campaigns(asked: Asked) -> Report[CampaignRow]:
    """Count calls by campaign, the most called first."""
    return _answer(asked, use_cases.campaigns)


@reports.get(
    "/numbers",
    query=ReportFilters,
    answers=Report[NumberRow],
    example=_example(_NUMBER | _CAMPAIGN | FIGURES | _CHANGE),
)
def report_numbers(asked: Asked) -> Report[NumberRow]:
    """Count calls by tracking number, the most called first.

    A number that was moved has a row for each campaign on which it was called.
    """
    return _answer(asked, use_cases.numbers)


@reports.get(
    "/groups",
    query=ReportFilters,
    answers=Report[GroupRow],
    example=_example({"group_id": 2, "group_name": "North", "group_external_id": None, **FIGURES, **_CHANGE}),
)
def report_groups(asked: Asked) -> Report[GroupRow]:
    """Count calls by group, each without those below it."""
    return _answer(asked, use_cases.groups)


@reports.get(
    "/regions",
    query=ReportFilters,
    answers=Report[RegionRow],
    example=_example({"country": "US", "state": "CA", **FIGURES, **_CHANGE}),
)
def report_regions(asked: Asked) -> Report[RegionRow]:
    """Count calls by where the caller rings from, as the carrier says."""
    return _answer(asked, use_cases.regions)


@reports.get(
    "/callers",
    query=ReportFilters,
    answers=Report[CallersRow],
    example=_example(_CAMPAIGN | {"calls": 120} | _CALLERS | _CHANGE),
)
def report_callers(asked: Asked) -> Report[CallersRow]:
    """Count first-time and repeat callers, by campaign.

    A call is a first one if the log has no earlier one of this caller to this group.
    """
    return _answer(asked, use_cases.callers)


@reports.get(
    "/ended-numbers",
    query=ReportFilters,
    answers=Report[EndedRow],
    example=_example(
        _NUMBER
        | _CAMPAIGN
        | {"reason": "ended", "calls": 120, "callers": 96, "last_at": "2026-07-31T16:00:00Z"}
        | _CHANGE
    ),
)
def report_ended_numbers(asked: Asked) -> Report[EndedRow]:
    """List numbers that are over and are dialled all the same, the most dialled first.

    Their campaign has ended or is archived, or they were released or are on none. `totals` are those of
    all calls.
    """
    return _answer(asked, use_cases.ended_numbers)

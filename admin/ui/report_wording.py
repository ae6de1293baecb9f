"""Words of the reports: periods, how a figure stands against the one before, what a row is called."""

from datetime import date

from flask import Blueprint

from admin.report_views import Figures, PeriodView


def difference(now: int, before: int | None) -> str:
    """A figure held against the one before, such as `12 more (20 %)`."""
    change = now - (before or 0)
    if before is None:
        return "no such day before"
    if change == 0:
        return "as many" if now else "none, as before"
    if before == 0:
        return f"{change:,} more; there were none"
    return f"{abs(change):,} {'more' if change > 0 else 'fewer'} ({_percent(change, before)})"


def share(part: int, whole: int) -> str:
    """Such as `75 %`; empty where there is no whole."""
    return f"{round(part / whole * 100)} %" if whole else ""


def answered_share(figures: Figures) -> str:
    """How many of the calls whose end is known were answered, of those that were put through."""
    return share(figures.answered, figures.answered + figures.missed)


def day(moment: date) -> str:
    """Such as `4 Mar`."""
    return f"{moment.day} {moment:%b}"


def weekday(moment: date) -> str:
    """Such as `Wed 4 Mar 2026`."""
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def days(period: PeriodView) -> str:
    """Such as `Wed 4 Mar 2026`, and with dashes `3-9 Mar 2026`, `26 Feb - 4 Mar 2026`."""
    first, last = period.first_day, period.last_day
    if first == last:
        return weekday(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\u2013{last.day} {last:%b %Y}"
    begins = day(first) if first.year == last.year else f"{day(first)} {first.year}"
    return f"{begins} \u2013 {day(last)} {last.year}"


def region(country: str | None, state: str | None) -> str:
    if country is None:
        return "Not known"
    return f"{state}, {country}" if state else country


def _percent(change: int, before: int) -> str:
    part = abs(change) / before * 100
    return "less than 1 %" if part < 1 else f"{round(part):,} %"


def install(pages: Blueprint) -> None:
    """Give templates the filters of this file."""
    pages.add_app_template_filter(days, "period_days")

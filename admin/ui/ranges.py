"""Ranges of instants in the filters of a list, in the user's zone: days, times of day, and words.

`starts_from=2026-03-01&starts_to=2026-03-31` means from the first instant of March to its last,
`starts_to=2026-03-31T09:30` until half past nine, and `starts=7d` the last seven days whenever it is
asked: who saves that filter sees the last seven days at every visit.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from admin.ui import times

SPANS = {
    "1h": "Last hour",
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
"""The words, and how they are shown."""


def end(what: str, which: str, text: str, zone: ZoneInfo) -> dict[str, datetime]:
    """One end (`from` or `to`) of the range `what`; its last day or minute belongs to it.

    Raises `times.NotATime`.
    """
    if which == "from":
        return {f"{what}_from": _first(text, zone)}
    return {f"{what}_before": _after(text, zone)}


def span(what: str, word: str, now: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """The range that a word of `SPANS` means at `now`. Raises `times.NotATime`."""
    today = now.astimezone(zone).date()
    match word:
        case "1h":
            return {f"{what}_from": now - timedelta(hours=1)}
        case "today":
            return {f"{what}_from": _beginning(today, zone)}
        case "yesterday":
            begins = _beginning(today - timedelta(days=1), zone)
            return {f"{what}_from": begins, f"{what}_before": _beginning(today, zone)}
        case "7d" | "30d":
            days = int(word.removesuffix("d"))
            return {f"{what}_from": _beginning(today - timedelta(days=days - 1), zone)}
        case _:
            raise times.NotATime(f"choose one of {', '.join(SPANS)}")


def narrowed(raw: Mapping[str, Any], found: Mapping[str, datetime]) -> dict[str, datetime]:
    """What was found, as far as `raw` does not say something narrower already."""
    return {
        bound: (max if bound.endswith("_from") else min)(raw.get(bound, moment), moment)
        for bound, moment in found.items()
    }


def _first(text: str, zone: ZoneInfo) -> datetime:
    if "T" not in text:
        return _beginning(_day(text), zone)
    found = times.read(text, zone)
    return found.earlier if isinstance(found, times.Twice) else found


def _after(text: str, zone: ZoneInfo) -> datetime:
    if "T" not in text:
        return _beginning(_day(text) + timedelta(days=1), zone)
    found = times.read(text, zone)
    return (found.later if isinstance(found, times.Twice) else found) + timedelta(minutes=1)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise times.NotATime("write a day as 2026-03-31") from None
    if day.year not in range(1901, 9000):
        raise times.NotATime("write a day between 1901 and 8999")
    return day


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)

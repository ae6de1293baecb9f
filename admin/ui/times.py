"""Instants as people read and write them: in the user's time zone, which is always named."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_TYPED = "%Y-%m-%dT%H:%M"
_DAYS_ARE_COUNTED_FROM = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Twice:
    """A time that the clocks of a zone show twice, when they are put back."""

    earlier: datetime
    later: datetime


class NotATime(ValueError):
    """What was typed names no instant; the message says why and what to type."""


def zone_named(name: str) -> ZoneInfo:
    """The zone, or UTC where the time zone data does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=1)
def zone_names() -> list[str]:
    """The zones that people choose from: those named after places, and UTC."""
    places = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return ["UTC", *sorted(places)]


def full(moment: datetime, zone: ZoneInfo) -> str:
    """Such as `4 Mar 2026, 09:00 PST`."""
    return f"{day(moment, zone)}, {hour(moment, zone)}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def hour(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%H:%M} {_abbreviation(local)}"


def hour_to_the_second(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S} {_abbreviation(local)}"


def to_the_second(moment: datetime, zone: ZoneInfo) -> str:
    return f"{day(moment, zone)}, {hour_to_the_second(moment, zone)}"


def typed(moment: datetime, zone: ZoneInfo) -> str:
    """As a field for date and time holds it: local, to the minute, without a zone."""
    return moment.astimezone(zone).strftime(_TYPED)


def read(text: str, zone: ZoneInfo) -> datetime | Twice:
    """The instant of what was typed, in UTC; raise `NotATime`."""
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise NotATime("type a day and a time, such as 2026-07-01 09:00") from None
    try:
        first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise NotATime("there is no such day or time") from None
    if first == second:
        return first
    # Where clocks are put forward, "earlier" is what they would have shown and lies after the jump.
    if first > second:
        raise NotATime(
            f"clocks in {zone.key} were put forward past {local:%H:%M} on that day; "
            f"choose {full(second, zone)} or {full(first, zone)}"
        )
    return Twice(first, second)


def ahead(span: timedelta) -> str:
    """How long until something, in the one unit that matters: `12 days`, `3 h`, `5 min`."""
    if span >= _DAYS_ARE_COUNTED_FROM:
        return f"{span // timedelta(days=1)} days"
    if span >= timedelta(hours=1):
        return f"{span // timedelta(hours=1)} h"
    return f"{max(1, span // timedelta(minutes=1))} min"


def _abbreviation(local: datetime) -> str:
    """`PST`; for zones without a word of their own `UTC+03:00`."""
    word = local.tzname() or ""
    if word[:1] not in "+-":
        return word
    offset = local.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"

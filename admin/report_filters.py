"""What a report is asked about: which days, in which time zone, of which campaign, number and group."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Reading
from admin.errors import NotThere
from admin.lists.digits import Digits, check_digits, digits_condition
from admin.lists.visible import visible
from admin.references import visible_campaign
from admin.report_views import CampaignNamed
from admin.users import TimeZone
from models.reporting.period import Period, PeriodName, between, named
from models.reporting.scope import Scope
from models.tracking_number import TrackingNumber
from routing.numbers import NotE164, PhoneNumber

LONGEST_DAYS = 400
"""A year, and the weeks beside it that somebody wants to see."""
DEFAULT: PeriodName = "30d"
_ROWS, _MOST_ROWS = 100, 1_000
_SHOWN = 3
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARS = range(1901, 9000)


def _day(value: object) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "a day is written as 2026-03-31")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "there is no such day") from None
    if day.year not in _YEARS:
        raise PydanticCustomError("day", "a day lies between the years 1901 and 8999")
    return day


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-31"]}),
]


class ReportFilters(Draft):
    """Read from an address: numbers and days are spelled as text. Without any days the last 30."""

    model_config = ConfigDict(strict=False)

    period: Annotated[
        PeriodName | None,
        Field(description="days that move on; `7d`, `30d` (the default) and `90d` end with today"),
    ] = None
    first_day: Annotated[Day | None, Field(description="instead of a period: from this day on")] = None
    last_day: Annotated[Day | None, Field(description="to this day, today unless given")] = None
    time_zone: Annotated[
        TimeZone | None, Field(description="whose days are meant; that of the user unless given")
    ] = None
    campaign_id: Id | None = None
    number: Digits = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    limit: Annotated[int, Field(ge=1, le=_MOST_ROWS, description="rows, those with the most calls first")] = (
        _ROWS
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked, every part of it understood, and by whom."""

    session: Session
    actor: Actor
    scope: Scope
    period: Period
    campaign: CampaignNamed | None
    group_id: int | None
    """The group that was named, if he sees it."""
    subgroups: bool
    limit: int | None
    """Rows; None: all there are."""

    @property
    def before(self) -> Period:
        return self.period.before


def read(session: Session, actor: Actor, raw: object, now: datetime, *, whole: bool = False) -> Question:
    """Understand a `ReportFilters`; `whole` asks for all rows, whatever the limit.

    Raise `Invalid`; what is not in the actor's subtree finds nothing.
    """
    reading = Reading()
    filters = reading.read(ReportFilters, raw)
    period = _period(filters, now, _zone(filters.time_zone or actor.time_zone), reading)
    number = _number(session, actor, filters.number, reading)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    return Question(
        session,
        actor,
        Scope(seen.scope, filters.campaign_id, number),
        period,
        _campaign(session, actor, filters.campaign_id),
        filters.group_id if seen.ids else None,
        filters.subgroups,
        None if whole else filters.limit,
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _period(filters: ReportFilters, now: datetime, zone: ZoneInfo, reading: Reading) -> Period:
    first, last = filters.first_day, filters.last_day
    today = now.astimezone(zone).date()
    usual = named(filters.period or DEFAULT, now, zone)
    if first is None:
        if last is not None and not reading.has_error("first_day"):
            reading.add("first_day", "is mandatory where the last day is given")
        return usual
    last = last or today
    if filters.period is not None:
        reading.add("period", "give either a period or days")
    elif first > today:
        reading.add("first_day", f"has not come yet in {zone.key}")
    elif first > last:
        reading.add("last_day", "lies before the first day")
    elif (last - first).days >= LONGEST_DAYS:
        reading.add("last_day", f"is too far away: a report has {LONGEST_DAYS} days at most")
    else:
        return between(first, last, now, zone)
    return usual


def _campaign(session: Session, actor: Actor, campaign_id: int | None) -> CampaignNamed | None:
    """As everywhere, one that he does not see finds nothing."""
    with suppress(NotThere):
        campaign = None if campaign_id is None else visible_campaign(session, actor, campaign_id)
        if campaign is not None:
            return CampaignNamed(id=campaign.id, name=campaign.name, external_id=campaign.external_id)
    return None


def _number(session: Session, actor: Actor, written: str | None, reading: Reading) -> PhoneNumber | None:
    """The one number with these digits that the actor sees, held or released; or the one written in full."""
    if not written:
        return None
    with suppress(NotE164):
        return PhoneNumber.parse(written)
    check_digits(written, "number", reading)
    if reading.has_error("number"):
        return None
    seen = visible(session, actor)
    found = session.scalars(
        select(TrackingNumber.number)
        .where(
            digits_condition(session, actor, TrackingNumber.number, written),
            *seen.among(TrackingNumber.group_id),
        )
        .distinct()
        .order_by(TrackingNumber.number)
        .limit(_SHOWN + 1)
    ).all()
    if len(found) == 1:
        return found[0]
    if not found:
        reading.add("number", "no tracking number begins or ends like this")
    else:
        some = ", ".join(number.e164 for number in found[:_SHOWN])
        more = " and more" if len(found) > _SHOWN else ""
        reading.add("number", f"fits several tracking numbers ({some}{more}); add digits")
    return None

"""The reports as pages show them: their names, their columns, their charts."""

from typing import Any

from admin import reports
from admin.report_views import (
    CallersRow,
    CampaignRow,
    DayRow,
    EndedRow,
    GroupRow,
    HourRow,
    NumberRow,
    OfCampaign,
    RegionRow,
)
from admin.ui.call_wording import reason
from admin.ui.charts import Kinds
from admin.ui.report_tables import CALLS, Cell, Counted, Lead, Place, Sheet
from admin.ui.report_wording import day, region, weekday
from admin.ui.wording import international, sentence
from routing.numbers import PhoneNumber

_CALLER_KINDS: Kinds = (
    ("first_time", "First call"),
    ("repeat", "Called before"),
    ("withheld", "Number withheld"),
)
_WHO = (
    CALLS,
    Counted("first_time", "First call", {"first_time": "true"}),
    Counted("repeat", "Called before", {"first_time": "false"}),
    Counted("withheld", "Number withheld", {"without": "caller"}),
)
_CAMPAIGN = ("campaign_id", "campaign_name", "campaign_external_id")
_NUMBER = ("number", "number_id", "number_name")


def _day(row: DayRow) -> Cell:
    return Cell(weekday(row.day))


def _hour(row: HourRow) -> Cell:
    return Cell(f"{row.hour:02}:00 to {row.hour:02}:59")


def _campaign(row: OfCampaign) -> Cell:
    if row.campaign_id is None:
        return Cell("No campaign")
    name = row.campaign_name or "A campaign that is not there any more"
    return Cell(name, f"/campaigns/{row.campaign_id}" if row.campaign_name else "")


def _campaign_id(row: OfCampaign) -> Cell:
    return Cell("" if row.campaign_id is None else str(row.campaign_id))


def _external_id(row: OfCampaign) -> Cell:
    return Cell(row.campaign_external_id or "")


def _number(row: NumberRow | EndedRow) -> Cell:
    if row.number is None:
        return Cell("No phone number")
    href = "" if row.number_id is None else f"/tracking-numbers/{row.number_id}"
    return Cell(international(row.number), href, row.number_name or "")


def _group(row: GroupRow) -> Cell:
    return Cell(row.group_name, f"/groups/{row.group_id}") if row.group_name else Cell("No group")


def _group_id(row: GroupRow) -> Cell:
    return Cell("" if row.group_id is None else str(row.group_id))


def _external_id_of_group(row: GroupRow) -> Cell:
    return Cell(row.group_external_id or "")


def _region(row: RegionRow) -> Cell:
    return Cell(region(row.country, row.state))


def _why(row: EndedRow) -> Cell:
    return Cell(sentence(reason(row.reason)))


def _last_call(row: EndedRow) -> Cell:
    return Cell("", at=row.last_at)


def _place_of_campaign(row: OfCampaign) -> Place:
    if row.campaign_id is None:
        return {"campaign_id": None, "without": "campaign"}
    return {"campaign_id": str(row.campaign_id)}


def _place_of_number(row: NumberRow | EndedRow) -> Place | None:
    return None if row.number is None else _place_of_campaign(row) | _digits(row.number)


def _digits(number: PhoneNumber) -> Place:
    return {"number": number.e164}


def _place_of_group(row: GroupRow) -> Place:
    if row.group_id is None:
        return {"group_id": None, "without": "group"}
    return {"group_id": str(row.group_id), "subgroups": "false"}


def _place_of_region(row: RegionRow) -> Place:
    if row.country is None:
        return {"without": "country"}
    if row.state is None:
        return {"country": row.country, "without": "state"}
    return {"country": row.country, "state": row.state}


def _place_of_ended(row: EndedRow) -> Place | None:
    place = _place_of_number(row)
    return None if place is None else place | {"reason": row.reason}


_OF_CAMPAIGN = (
    Lead("Campaign", _campaign),
    Lead("Campaign ID", _campaign_id),
    Lead("External ID", _external_id),
)

DAYS = Sheet(
    name="days",
    label="Days",
    title="Calls per day",
    load=reports.days,
    leads=[Lead("Day", _day)],
    place=lambda row: {"started_from": row.day.isoformat(), "started_to": row.day.isoformat()},
    against="Against the day at this place in the period before",
    named_by=("day",),
    bar=lambda row: day(row.day),
    stands=True,
)
HOURS = Sheet(
    name="hours",
    label="Hours",
    title="Calls per hour of the day",
    load=reports.hours,
    leads=[Lead("Hour", _hour)],
    place=lambda row: {"hour": str(row.hour)},
    named_by=("hour",),
    bar=lambda row: f"{row.hour:02}:00",
    stands=True,
    intro="The hours that the clocks show, over all days of the period.",
)
CAMPAIGNS: Sheet[CampaignRow] = Sheet(
    name="campaigns",
    label="Campaigns",
    title="Calls by campaign",
    load=reports.campaigns,
    leads=_OF_CAMPAIGN,
    place=_place_of_campaign,
    named_by=_CAMPAIGN,
    bar=lambda row: _campaign(row).text,
)
NUMBERS: Sheet[NumberRow] = Sheet(
    name="numbers",
    label="Numbers",
    title="Calls by tracking number",
    load=reports.numbers,
    leads=[Lead("Tracking number", _number), *_OF_CAMPAIGN],
    place=_place_of_number,
    named_by=(*_NUMBER, *_CAMPAIGN),
    bar=lambda row: _number(row).text,
)
GROUPS = Sheet(
    name="groups",
    label="Groups",
    title="Calls by group",
    load=reports.groups,
    leads=[
        Lead("Group", _group),
        Lead("Group ID", _group_id),
        Lead("External ID", _external_id_of_group),
    ],
    place=_place_of_group,
    named_by=("group_id", "group_name", "group_external_id"),
    bar=lambda row: row.group_name or "No group",
    intro="Each group by itself: the calls of the groups below it stand in rows of their own.",
)
REGIONS = Sheet(
    name="regions",
    label="Regions",
    title="Calls by where the caller rings from",
    load=reports.regions,
    leads=[
        Lead("Region", _region),
    ],
    place=_place_of_region,
    named_by=("country", "state"),
    bar=lambda row: region(row.country, row.state),
    intro="As the carrier tells it from the caller's number: where it was given out, not where the phone is.",
)
CALLERS: Sheet[CallersRow] = Sheet(
    name="callers",
    label="Callers",
    title="First-time and repeat callers",
    load=reports.callers,
    leads=_OF_CAMPAIGN,
    place=_place_of_campaign,
    named_by=_CAMPAIGN,
    bar=lambda row: _campaign(row).text,
    counted=_WHO,
    summed=_WHO,
    kinds=_CALLER_KINDS,
    intro="A first call is the first that the log has of this caller to this group.",
)
ENDED: Sheet[EndedRow] = Sheet(
    name="ended-numbers",
    label="Ended numbers",
    title="Numbers that are over and are dialled all the same",
    empty="Nobody dialled a number in these days whose campaign has ended, or that was released.",
    load=reports.ended_numbers,
    leads=[
        Lead("Tracking number", _number),
        *_OF_CAMPAIGN,
        Lead("Why", _why),
        Lead("Last call", _last_call),
    ],
    place=_place_of_ended,
    named_by=(*_NUMBER, *_CAMPAIGN, "reason", "last_at"),
    bar=lambda row: _number(row).text,
    counted=(CALLS, Counted("callers", "Callers", None)),
    summed=(),
    kinds=(("calls", "In vain"),),
    intro="Whoever calls them reaches nobody. A campaign that ended can be extended, or refer its callers.",
)

SHEETS: dict[str, Sheet[Any]] = {
    sheet.name: sheet for sheet in (DAYS, HOURS, CAMPAIGNS, NUMBERS, GROUPS, REGIONS, CALLERS, ENDED)
}

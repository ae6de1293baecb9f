"""What reports count, for whom, and what they refuse."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from admin import reports
from admin.access.actor import Actor
from admin.errors import Invalid
from admin.report_filters import LONGEST_DAYS, read
from admin.report_views import Report
from models.call import Call
from tests.admin.call_history import BEGAN, DAYS, write_history
from tests.admin.office import Office, problems
from tests.builders import NOW, a_phone

_WHOLE: dict[str, Any] = {
    "first_day": f"{BEGAN:%Y-%m-%d}",
    "last_day": f"{BEGAN + timedelta(days=DAYS - 1):%Y-%m-%d}",
}
_JUST_NOW = NOW - timedelta(seconds=1)
_LATER = BEGAN + timedelta(days=DAYS + 5)
RANKINGS = (reports.campaigns, reports.numbers, reports.groups, reports.regions, reports.callers)


def asked(office: Office, report: Any, actor: Actor, at: datetime = NOW, **raw: Any) -> Report[Any]:
    with office.reading() as session:
        answer: Report[Any] = report(read(session, actor, raw, at))
        return answer


def logged(office: Office, **said: Any) -> None:
    with office.database.session() as session:
        plain = {
            "carrier": "twilio",
            "call_sid": a_phone().e164,
            "group_id": office.north,
            "decision": "reject",
            "started_at": _JUST_NOW,
            "created_at": _JUST_NOW,
        }
        session.add(Call(**(plain | said)))


def refused(office: Office, at: datetime = NOW, **raw: Any) -> dict[str, str]:
    with office.reading() as session, pytest.raises(Invalid) as refusal:
        read(session, office.ada, raw, at)
    return problems(refusal)


def test_the_rows_of_every_report_sum_up_to_its_totals(office: Office) -> None:
    write_history(office, 80)
    for actor in (office.ada, office.ned):
        for report in (reports.days, reports.hours, *RANKINGS):
            answer = asked(office, report, actor, _LATER, **_WHOLE)
            assert sum(row.calls for row in answer.items) == answer.totals.calls
            assert answer.rows == len(answer.items)
    assert asked(office, reports.days, office.ada, _LATER, **_WHOLE).totals.calls == 80


def test_a_report_counts_the_subtree_alone(office: Office) -> None:
    for group in (office.root, office.north, office.branch, office.south, None):
        logged(office, group_id=group)
    seen = {name: asked(office, reports.groups, getattr(office, name)) for name in ("ada", "ned", "bert")}
    assert {name: answer.totals.calls for name, answer in seen.items()} == {"ada": 5, "ned": 2, "bert": 1}
    assert {row.group_id for row in seen["ned"].items} == {office.north, office.branch}


@pytest.mark.parametrize(("subgroups", "calls"), [("true", 2), ("false", 1)])
def test_a_group_is_counted_with_those_below_it_or_without(
    on_sqlite: Office, subgroups: str, calls: int
) -> None:
    for group in (on_sqlite.root, on_sqlite.north, on_sqlite.branch):
        logged(on_sqlite, group_id=group)
    raw: dict[str, Any] = {"group_id": str(on_sqlite.north), "subgroups": subgroups}
    assert asked(on_sqlite, reports.days, on_sqlite.ada, **raw).totals.calls == calls


def test_what_lies_elsewhere_finds_nothing(on_sqlite: Office) -> None:
    campaign = on_sqlite.campaign(on_sqlite.ada, group_id=on_sqlite.south)
    logged(on_sqlite, group_id=on_sqlite.south, campaign_id=campaign)
    named: list[dict[str, Any]] = [{"group_id": str(on_sqlite.south)}, {"campaign_id": str(campaign)}]
    for raw in named:
        answer = asked(on_sqlite, reports.campaigns, on_sqlite.ned, **raw)
        assert (answer.totals.calls, answer.items, answer.campaign, answer.group_id) == (0, [], None, None)


def test_a_row_is_held_against_itself_in_the_period_before(office: Office) -> None:
    one, two = office.campaign(office.ada), office.campaign(office.ada)
    for campaign, back, count in ((one, 0, 3), (one, 1, 2), (two, 0, 1), (two, 1, 4)):
        for _ in range(count):
            logged(office, campaign_id=campaign, started_at=NOW - timedelta(days=back, minutes=1))
    answer = asked(office, reports.campaigns, office.ada, period="today")
    changes = {row.campaign_id: (row.calls_before, row.change, row.change_percent) for row in answer.items}
    assert changes == {one: (2, 1, 50.0), two: (4, -3, -75.0)}
    assert (answer.totals.calls, answer.totals_before.calls) == (4, 6)


def test_where_there_was_nothing_before_there_is_no_percentage(on_sqlite: Office) -> None:
    logged(on_sqlite)
    [row] = asked(on_sqlite, reports.groups, on_sqlite.ada, period="today").items
    assert (row.calls_before, row.change, row.change_percent) == (0, 1, None)


def test_a_day_without_its_like_in_a_shorter_month_is_held_against_nothing(on_sqlite: Office) -> None:
    now = datetime(2026, 4, 10, tzinfo=UTC)
    rows = asked(on_sqlite, reports.days, on_sqlite.ada, now, period="last-month").items
    assert [row.calls_before for row in rows] == [0] * 28 + [None] * 3


def test_days_are_those_of_the_zone_that_is_named_or_of_the_user(on_sqlite: Office) -> None:
    logged(on_sqlite, started_at=datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    berliner = replace(on_sqlite.ada, time_zone="Europe/Berlin")
    cases: list[tuple[Actor, dict[str, Any], date]] = [
        (on_sqlite.ada, {}, date(2026, 3, 3)),
        (berliner, {}, date(2026, 3, 4)),
        (berliner, {"time_zone": "America/New_York"}, date(2026, 3, 3)),
    ]
    for actor, raw, day in cases:
        rows = asked(on_sqlite, reports.days, actor, period="7d", **raw).items
        assert [row.day for row in rows if row.calls] == [day]


def test_rows_are_as_many_as_asked_for_and_the_others_are_counted(office: Office) -> None:
    for serial in range(3):
        campaign = office.campaign(office.ada, name=f"Campaign {serial}")
        for _ in range(serial + 1):
            logged(office, campaign_id=campaign, group_id=office.root)
    answer = asked(office, reports.campaigns, office.ada, limit="2")
    assert [row.calls for row in answer.items] == [3, 2]
    assert (answer.rows, answer.totals.calls) == (3, 6)


def test_callers_are_told_apart_by_whether_they_rang_before(office: Office) -> None:
    campaign, known, new = office.campaign(office.ada), a_phone(), a_phone()
    for caller, back in ((known, 10), (known, 0), (new, 0), (new, 0), (None, 0)):
        logged(office, campaign_id=campaign, caller=caller, started_at=NOW - timedelta(days=back, minutes=1))
    [row] = asked(office, reports.callers, office.ada, period="today").items
    assert (row.first_time, row.repeat, row.withheld, row.calls) == (1, 2, 1, 4)


def test_numbers_that_are_over_are_told_with_their_campaign_and_their_callers(office: Office) -> None:
    campaign = office.campaign(office.ada, name="Old", external_id="OLD-1", group_id=office.north)
    number, caller = a_phone(), a_phone()
    held = office.number(office.ada, number.e164, campaign, name="Van")
    over = {"campaign_id": campaign, "tracking_number": number, "reason": "ended"}
    for who in (caller, caller, None):
        logged(office, caller=who, **over)
    logged(office, caller=caller, started_at=_JUST_NOW - timedelta(days=1), **over)
    logged(office, tracking_number=number, reason="paused")
    [row] = asked(office, reports.ended_numbers, office.ned, period="today").items
    assert (row.number, row.number_id, row.number_name) == (number, held, "Van")
    assert (row.campaign_name, row.campaign_external_id, row.reason) == ("Old", "OLD-1", "ended")
    assert (row.calls, row.callers, row.last_at, row.calls_before) == (3, 1, _JUST_NOW, 1)


def test_a_number_is_named_by_its_digits(on_sqlite: Office) -> None:
    campaign = on_sqlite.campaign(on_sqlite.ada)
    for number in ("+14155550101", "+14155550102", "+14155550112"):
        on_sqlite.number(on_sqlite.ada, number, campaign)
    assert asked(on_sqlite, reports.days, on_sqlite.ada, number="0101").number is not None
    assert refused(on_sqlite, number="415555") == {
        "number": "fits several tracking numbers (+14155550101, +14155550102, +14155550112); add digits"
    }
    assert refused(on_sqlite, number="987654") == {"number": "no tracking number begins or ends like this"}
    assert refused(on_sqlite, number="12") == {"number": "needs 3 digits or more"}


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ({"first_day": "2026-03-05"}, {"first_day": "has not come yet in UTC"}),
        ({"first_day": "2026-03-04"}, {}),
        ({"last_day": "2026-03-01"}, {"first_day": "is mandatory where the last day is given"}),
        (
            {"first_day": "2026-03-02", "last_day": "2026-03-01"},
            {"last_day": "lies before the first day"},
        ),
        ({"first_day": "2026-03-01", "period": "7d"}, {"period": "give either a period or days"}),
        ({"first_day": "31.3.2026"}, {"first_day": "a day is written as 2026-03-31"}),
        ({"first_day": "2026-02-30"}, {"first_day": "there is no such day"}),
        ({"first_day": "0001-01-01"}, {"first_day": "a day lies between the years 1901 and 8999"}),
        (
            {"time_zone": "Mars/Olympus"},
            {"time_zone": "is not a time zone; write a name such as Europe/Berlin"},
        ),
        ({"colour": "red"}, {"colour": "is not known; see the documentation for what there is"}),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    on_sqlite: Office, raw: dict[str, Any], wrong: dict[str, str]
) -> None:
    if wrong:
        assert refused(on_sqlite, **raw) == wrong
    else:
        assert asked(on_sqlite, reports.days, on_sqlite.ada, **raw).rows == 1


@pytest.mark.parametrize(("days", "is_right"), [(LONGEST_DAYS, True), (LONGEST_DAYS + 1, False)])
def test_a_report_is_no_longer_than_a_year_and_some(on_sqlite: Office, days: int, *, is_right: bool) -> None:
    first = (NOW - timedelta(days=days - 1)).date().isoformat()
    if is_right:
        assert asked(on_sqlite, reports.days, on_sqlite.ada, first_day=first).rows == days
    else:
        assert refused(on_sqlite, first_day=first) == {
            "last_day": f"is too far away: a report has {LONGEST_DAYS} days at most"
        }

"""Days as an operator means them, also where clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.reporting.period import Period, beginning, between, last_days, named, today

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_has_the_hours_that_its_clocks_show(day: date, hours: int) -> None:
    span = Period(day, day, BERLIN).span
    assert span.end - span.begin == timedelta(hours=hours)


def test_a_day_whose_midnight_is_skipped_begins_with_the_jump() -> None:
    day, zone = date(2026, 4, 24), ZoneInfo("Africa/Cairo")
    assert beginning(day, zone) == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)


def test_today_lasts_until_now_and_is_held_against_yesterday_until_then() -> None:
    period = today(datetime(2026, 7, 2, 7, 30, tzinfo=UTC), BERLIN)
    assert period.span.begin == datetime(2026, 7, 1, 22, 0, tzinfo=UTC)
    assert period.span.end == datetime(2026, 7, 2, 7, 30, tzinfo=UTC)
    assert period.before.span.begin == datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert period.before.span.end == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


def test_yesterday_is_cut_off_by_the_clock_on_the_wall() -> None:
    period = today(datetime(2026, 3, 29, 10, 0, tzinfo=UTC), BERLIN)
    assert period.before.span.end == datetime(2026, 3, 28, 11, 0, tzinfo=UTC)


def test_the_last_days_end_with_today() -> None:
    period = last_days(7, datetime(2026, 7, 2, 7, 30, tzinfo=UTC), BERLIN)
    assert (period.first, period.last) == (date(2026, 6, 26), date(2026, 7, 2))


_NOON = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
"""12:00 in Berlin."""


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", date(2026, 3, 31), date(2026, 3, 31)),
        ("yesterday", date(2026, 3, 30), date(2026, 3, 30)),
        ("7d", date(2026, 3, 25), date(2026, 3, 31)),
        ("90d", date(2026, 1, 1), date(2026, 3, 31)),
        ("this-month", date(2026, 3, 1), date(2026, 3, 31)),
        ("last-month", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_a_name_means_days_up_to_the_one_on_which_it_is_asked(name: Any, first: date, last: date) -> None:
    period = named(name, _NOON, BERLIN)
    assert (period.first, period.last) == (first, last)
    assert (period.until is None) is (last < date(2026, 3, 31))


def test_a_month_is_held_against_the_month_before_however_long_it_was() -> None:
    before = named("last-month", _NOON, BERLIN).before
    assert (before.first, before.last) == (date(2026, 1, 1), date(2026, 1, 31))


@pytest.mark.parametrize(
    ("day", "last"), [(5, date(2026, 2, 5)), (28, date(2026, 2, 28)), (31, date(2026, 2, 28))]
)
def test_a_month_that_is_not_over_is_held_against_as_much_of_the_one_before(day: int, last: date) -> None:
    before = named("this-month", _NOON.replace(day=day), BERLIN).before
    assert (before.first, before.last) == (date(2026, 2, 1), last)
    assert before.span.end == beginning(last, BERLIN) + timedelta(hours=11 if day < 29 else 12)


@pytest.mark.parametrize(("last", "is_cut"), [(30, False), (31, True)])
def test_days_that_have_not_come_are_left_out(last: int, *, is_cut: bool) -> None:
    period = between(date(2026, 3, 1), date(2026, 3, last), _NOON, BERLIN)
    assert (period.last.day, period.until is not None) == (last, is_cut)
    assert between(date(2026, 3, 1), date(2026, 4, 9), _NOON, BERLIN).last == date(2026, 3, 31)

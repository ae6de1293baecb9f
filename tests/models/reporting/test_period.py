"""Days as an operator means them, also where clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.reporting.period import Period, beginning, last_days, today

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

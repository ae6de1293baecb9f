"""Instants as people read and type them, over the two nights of a year that are not as others."""

from datetime import UTC, datetime, timedelta

import pytest

from admin.ui import times

CALIFORNIA = times.zone_named("America/Los_Angeles")


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-03-08T01:59", datetime(2026, 3, 8, 9, 59, tzinfo=UTC)),
        ("2026-03-08T03:00", datetime(2026, 3, 8, 10, 0, tzinfo=UTC)),
        ("2026-07-01T09:00", datetime(2026, 7, 1, 16, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_users_zone(typed: str, instant: datetime) -> None:
    assert times.read(typed, CALIFORNIA) == instant


def test_a_time_that_clocks_leave_out_is_refused_with_the_two_beside_it() -> None:
    with pytest.raises(times.NotATime, match=r"8 Mar 2026, 01:30 PST or 8 Mar 2026, 03:30 PDT"):
        times.read("2026-03-08T02:30", CALIFORNIA)


def test_a_time_that_clocks_show_twice_is_two_instants() -> None:
    earlier = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert times.read("2026-11-01T01:30", CALIFORNIA) == times.Twice(earlier, earlier + timedelta(hours=1))


@pytest.mark.parametrize("typed", ["", "soon", "2026-02-30T09:00", "0001-01-01T00:00"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(times.NotATime):
        times.read(typed, times.zone_named("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/Los_Angeles", "4 Mar 2026, 01:05 PST"),
        ("Asia/Kolkata", "4 Mar 2026, 14:35 IST"),
        ("America/Sao_Paulo", "4 Mar 2026, 06:05 UTC-03:00"),
        ("Nowhere/At_All", "4 Mar 2026, 09:05 UTC"),
    ],
)
def test_a_time_is_shown_with_its_zone(zone: str, shown: str) -> None:
    assert times.full(datetime(2026, 3, 4, 9, 5, tzinfo=UTC), times.zone_named(zone)) == shown


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(days=30), "30 days"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=2) - timedelta(seconds=1), "47 h"),
        (timedelta(hours=1), "1 h"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(seconds=1), "1 min"),
    ],
)
def test_a_countdown_has_the_one_unit_that_matters(span: timedelta, said: str) -> None:
    assert times.ahead(span) == said

"""Ranges of instants as people type them into filters."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from admin.ui import ranges
from admin.ui.times import NotATime

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("which", "text", "bound"),
    [
        ("from", "2026-03-01", {"starts_from": utc(2026, 2, 28, 23)}),
        ("to", "2026-03-31", {"starts_before": utc(2026, 3, 31, 22)}),
        ("from", "2026-03-04T09:30", {"starts_from": utc(2026, 3, 4, 8, 30)}),
        ("to", "2026-03-04T09:30", {"starts_before": utc(2026, 3, 4, 8, 31)}),
        # Clocks are put back: the range holds both hours.
        ("from", "2026-10-25T02:30", {"starts_from": utc(2026, 10, 25, 0, 30)}),
        ("to", "2026-10-25T02:30", {"starts_before": utc(2026, 10, 25, 1, 31)}),
    ],
)
def test_an_end_belongs_to_its_range_and_is_meant_in_the_users_zone(
    which: str, text: str, bound: dict[str, datetime]
) -> None:
    assert ranges.end("starts", which, text, BERLIN) == bound


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "9999-12-31", "2026-03-29T02:30", "2026-03-04Tx"])
def test_what_is_no_day_or_time_is_refused(text: str) -> None:
    with pytest.raises(NotATime):
        ranges.end("starts", "from", text, BERLIN)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("1h", {"starts_from": utc(2026, 3, 4, 11)}),
        ("today", {"starts_from": utc(2026, 3, 3, 23)}),
        ("yesterday", {"starts_from": utc(2026, 3, 2, 23), "starts_before": utc(2026, 3, 3, 23)}),
        ("7d", {"starts_from": utc(2026, 2, 25, 23)}),
    ],
)
def test_a_word_means_a_range_up_to_the_instant_at_which_it_is_asked(
    word: str, found: dict[str, datetime]
) -> None:
    assert ranges.span("starts", word, NOW, BERLIN) == found


def test_a_word_that_is_not_known_is_refused() -> None:
    with pytest.raises(NotATime):
        ranges.span("starts", "someday", NOW, BERLIN)


def test_of_two_bounds_the_narrower_one_counts() -> None:
    early, late = utc(2026, 3, 1), utc(2026, 3, 2)
    assert ranges.narrowed({"starts_from": late}, {"starts_from": early}) == {"starts_from": late}
    assert ranges.narrowed({"starts_before": late}, {"starts_before": early}) == {"starts_before": early}

"""A delivery is tried ten times in three days; who does not answer is left in peace for a while."""

from datetime import timedelta

import pytest

from webhooks.outgoing.schedule import LONGEST_PATIENCE, RETRIES, block, next_delay

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND = timedelta(seconds=1)


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    expected = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 5, 10, 14, 20, 24))]
    assert list(RETRIES) == expected
    assert [next_delay(n, None, lambda: 0.0) for n in range(1, 10)] == expected
    assert next_delay(10, None) is None


def test_those_who_failed_together_do_not_come_back_together() -> None:
    assert next_delay(2, None, lambda: 1.0) == 6 * MINUTE
    delays = {next_delay(2, None) for _ in range(20)}
    assert len(delays) > 10
    assert all(delay is not None and 5 * MINUTE <= delay <= 6 * MINUTE for delay in delays)


@pytest.mark.parametrize(
    ("asked", "delay"), [(SECOND, 5 * SECOND), (MINUTE, MINUTE), (24 * HOUR, LONGEST_PATIENCE)]
)
def test_a_receiver_may_ask_for_patience_within_bounds(asked: timedelta, delay: timedelta) -> None:
    assert next_delay(1, asked, lambda: 0.0) == delay


def test_who_does_not_answer_is_left_in_peace_for_longer_and_longer() -> None:
    blocks = [block(None, failures, None) for failures in (1, 2, 3, 6, 7, 99)]
    assert blocks == [SECOND, 2 * SECOND, 4 * SECOND, 32 * SECOND, MINUTE, MINUTE]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_has_too_much_to_do_is_left_in_peace_as_he_asks(status: int) -> None:
    assert block(status, 1, None) == SECOND
    assert block(status, 1, 90 * SECOND) == 90 * SECOND
    assert block(status, 1, 24 * HOUR) == LONGEST_PATIENCE


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_who_dislikes_one_event_gets_the_next(status: int) -> None:
    assert block(status, 3, None) is None

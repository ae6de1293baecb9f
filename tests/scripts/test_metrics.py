"""The page that Prometheus reads: what is counted, what is measured, and what cannot be measured now."""

from collections.abc import Iterable

import pytest
import redis
from sqlalchemy.exc import OperationalError

from routing.arrival import FactsUnavailable
from scripts.metrics import Metrics, Reading
from tests.builders import a_breaker


def page(metrics: Metrics) -> str:
    return metrics.collect()[0].decode()


def two_loops() -> Iterable[Reading]:
    yield Reading("round_age_seconds", "Since the last round.", 1.5, {"loop": "index"})
    yield Reading("round_age_seconds", "Since the last round.", 2.5, {"loop": "journal"})


def test_readings_of_one_name_are_one_family() -> None:
    text = page(Metrics([two_loops]))
    assert text.count("# TYPE round_age_seconds gauge") == 1
    assert 'round_age_seconds{loop="index"} 1.5\nround_age_seconds{loop="journal"} 2.5\n' in text


def test_what_only_grows_is_shown_as_a_counter() -> None:
    text = page(Metrics([lambda: [Reading("damages_total", "Damages.", 3)]]))
    assert "# TYPE damages_total counter\ndamages_total 3.0\n" in text


@pytest.mark.parametrize(
    "error",
    [
        FactsUnavailable("gone"),
        OSError(),
        redis.TimeoutError(),
        redis.ResponseError(),
        OperationalError("", {}, Exception()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_measured_is_left_out_and_the_rest_is_shown(error: Exception) -> None:
    def away() -> Iterable[Reading]:
        raise error

    text = page(Metrics([away, two_loops]))
    assert 'round_age_seconds{loop="index"} 1.5' in text
    assert "hookswitch_voice_answer_seconds_count 0.0" in text


def test_an_open_breaker_is_shown_and_a_closed_one_too() -> None:
    redis_breaker, sql_breaker = a_breaker(threshold=1), a_breaker(threshold=1)
    metrics = Metrics([], {"redis": redis_breaker, "sql": sql_breaker})
    redis_breaker.failed()
    assert 'hookswitch_breaker_open{store="redis"} 1.0\nhookswitch_breaker_open{store="sql"} 0.0' in page(
        metrics
    )
    redis_breaker.succeeded()
    assert 'hookswitch_breaker_open{store="redis"} 0.0' in page(metrics)


def test_no_metric_has_two_meanings() -> None:
    text = page(Metrics([two_loops], {"redis": a_breaker()}))
    helps = [line.split(" ")[2] for line in text.splitlines() if line.startswith("# HELP ")]
    assert len(helps) == len(set(helps))

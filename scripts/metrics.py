"""What is counted and measured, in Prometheus' terms; over all web processes of one machine."""

import os
import threading
from bisect import bisect_left
from collections import Counter as Tallied
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisClusterException, RedisError
from sqlalchemy.exc import SQLAlchemyError

from routing.arrival import FactsUnavailable, Source
from routing.breaker import Breaker

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which the processes of one server add up; `serve` sets it."""

_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds. A quiet answer takes less than 1 ms; the last two are what we promise at worst."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, read when somebody looks."""

    name: str
    meaning: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Measure = Callable[[], Iterable[Reading]]


class _Tally:
    """Counts in memory and adds the sums to a Prometheus counter a little later.

    A Prometheus counter shared by several processes is a file; adding to it costs as much as
    checking a signature.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._lock = threading.Lock()
        self._waiting: Tallied[tuple[str, ...]] = Tallied()

    def count(self, *values: str) -> None:
        self.add(values, 1)

    def add(self, values: tuple[str, ...], times: int) -> None:
        with self._lock:
            self._waiting[values] += times

    def carry(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, Tallied()
        for values, times in waiting.items():
            self._counter.labels(*values).inc(times)


class _Seconds(Histogram):
    """A histogram that takes many values at once, for the cost of one."""

    def observe_all(self, values: Sequence[float]) -> None:
        for bucket, times in Tallied(bisect_left(self._upper_bounds, value) for value in values).items():
            self._buckets[bucket].inc(times)
        self._sum.inc(sum(values))


class _Readings(Collector):
    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = list(readings)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for reading in self._readings:
            family = families.get(reading.name)
            if family is None:
                kind = CounterMetricFamily if reading.name.endswith("_total") else GaugeMetricFamily
                family = families[reading.name] = kind(
                    reading.name, reading.meaning, labels=list(reading.labels)
                )
            family.add_metric(list(reading.labels.values()), reading.value)
        return families.values()


class Metrics:
    """What one web process counts; `serve` names the folder in which processes add up.

    No label holds anything a caller or a carrier wrote.
    """

    def __init__(
        self, measures: Sequence[Measure] = (), breakers: Mapping[str, Breaker] | None = None
    ) -> None:
        """Count from zero. `measures` are asked when somebody looks and left out where they raise."""
        self._measures = measures
        self._breakers = dict(breakers or {})
        self._shown: dict[str, bool] = {}
        self._registry = CollectorRegistry()
        self._tallies: list[_Tally] = []
        self._answered = self._tally(
            "hookswitch_calls_answered",
            "Voice webhooks answered with TwiML, by decision, reason and source of the facts.",
            "decision",
            "reason",
            "source",
        )
        self.refused = self._counter(
            "hookswitch_webhooks_refused", "Webhooks refused at the door, by reason.", "reason"
        )
        self.trouble = self._counter(
            "hookswitch_routing_trouble", "What kept a call off the quick path, by event.", "event"
        )
        self._seconds = _Seconds(
            "hookswitch_voice_answer_seconds",
            "From the request read to the answer ready, for voice webhooks.",
            buckets=_BOUNDS,
            registry=self._registry,
        )
        self._open = Gauge(
            "hookswitch_breaker_open",
            "Web processes that ask this store once a second only, since it failed three times in a row.",
            ["store"],
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._lines_dropped = Counter(
            "hookswitch_log_lines_dropped",
            "Log lines that nobody took: the collector has stopped reading.",
            registry=self._registry,
        )

    def add_calls(self, kinds: Iterable[tuple[str, str, str]], seconds: Sequence[float]) -> None:
        """Count answered calls by decision, reason and source, and how many seconds they took."""
        for kind, times in Tallied(kinds).items():
            self._answered.add(kind, times)
        if seconds:
            self._seconds.observe_all(seconds)

    def without_facts(self, decision: str) -> None:
        """Count a caller who heard that we cannot connect him, without having been routed."""
        self._answered.count(decision, decision, Source.NONE)

    def lines_dropped(self, lines: int) -> None:
        if lines:
            self._lines_dropped.inc(lines)

    def carry(self) -> None:
        """Let other processes see what was counted."""
        for tally in self._tallies:
            tally.carry()
        for store, breaker in self._breakers.items():
            if self._shown.get(store) is not breaker.is_open:
                self._shown[store] = breaker.is_open
                self._open.labels(store).set(breaker.is_open)

    def collect(self) -> tuple[bytes, str]:
        """Return the page that Prometheus reads, and its content type."""
        self.carry()
        registry = self._registry
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        measured = CollectorRegistry()
        measured.register(_Readings(self._measured()))
        return generate_latest(registry) + generate_latest(measured), CONTENT_TYPE_LATEST

    def _measured(self) -> Iterator[Reading]:
        for measure in self._measures:
            # A store that is away is no reason to show nothing.
            with suppress(FactsUnavailable, OSError, RedisError, RedisClusterException, SQLAlchemyError):
                yield from measure()

    def _counter(self, name: str, meaning: str, *labels: str) -> Callable[..., None]:
        return self._tally(name, meaning, *labels).count

    def _tally(self, name: str, meaning: str, *labels: str) -> _Tally:
        tally = _Tally(Counter(name, meaning, labels, registry=self._registry))
        self._tallies.append(tally)
        return tally

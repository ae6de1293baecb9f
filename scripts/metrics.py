"""What is counted, in Prometheus' terms; over all processes of one machine."""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from routing.arrival import FactsUnavailable

_CARRY_EVERY = 1.0
"""Seconds that what was counted may wait before other processes can see it."""


class _Tally:
    """Counts in memory and carries the sums to a Prometheus counter a little later.

    A Prometheus counter shared by several processes is a file; adding to it costs as much as
    checking a signature.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}

    def count(self, value: str) -> None:
        with self._lock:
            if not self._waiting:
                timer = threading.Timer(_CARRY_EVERY, self.carry)
                timer.daemon = True
                timer.start()
            self._waiting[value] = self._waiting.get(value, 0) + 1

    def carry(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for value, times in waiting.items():
            self._counter.labels(value).inc(times)


class _Measured(Collector):
    """One gauge with one value."""

    def __init__(self, name: str, value: float) -> None:
        self._family = GaugeMetricFamily(name, name.replace("_", " "), value)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return [self._family]


class Metrics:
    """Counters of one web process; `serve` names the folder in which processes add up.

    No label holds anything a caller or a carrier wrote.
    """

    def __init__(self, gauges: Mapping[str, Callable[[], float]] | None = None) -> None:
        """Count from zero; `gauges` are read when somebody looks, and left out where they raise."""
        self._gauges = dict(gauges or {})
        self._registry = CollectorRegistry()
        self._tallies: list[_Tally] = []
        self.answered = self._counter(
            "hookswitch_calls_answered", "Voice webhooks answered with TwiML, by decision.", "decision"
        )
        self.refused = self._counter(
            "hookswitch_webhooks_refused", "Webhooks refused at the door, by reason.", "reason"
        )
        self.trouble = self._counter(
            "hookswitch_routing_trouble", "What kept a call off the quick path, by event.", "event"
        )

    def collect(self) -> tuple[bytes, str]:
        """Return the page that Prometheus reads, and its content type."""
        for tally in self._tallies:
            tally.carry()
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._measured()), CONTENT_TYPE_LATEST

    def _measured(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        for name, measure in self._gauges.items():
            with suppress(FactsUnavailable, OSError):
                registry.register(_Measured(name, measure()))
        return registry

    def _counter(self, name: str, meaning: str, label: str) -> Callable[[str], None]:
        tally = _Tally(Counter(name, meaning, [label], registry=self._registry))
        self._tallies.append(tally)
        return tally.count

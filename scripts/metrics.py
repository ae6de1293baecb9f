"""What is counted, in Prometheus' terms; over all processes of one machine."""

import os
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector


class Metrics:
    """Counters of one web process; `serve` names the folder in which processes add up.

    No label holds anything a caller or a carrier wrote.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, meaning: str, label: str) -> Callable[[str], None]:
        counter = Counter(name, meaning, [label], registry=self._registry)
        children: dict[str, Callable[[], None]] = {}

        def count(value: str) -> None:
            try:
                increase = children[value]
            except KeyError:
                increase = children.setdefault(value, counter.labels(value).inc)
            increase()

        return count

"""How long callers waited in each kind of fault."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.bench.figures import percentile
from scripts.soak.ledger import Ledger
from scripts.soak.truth import Trouble

CALM = "none"


@dataclass(frozen=True, slots=True)
class Served:
    """The answers to `voice` in so many faults of one kind; times in seconds."""

    times: int
    answers: int
    p99: float
    slowest: float


def served_by_fault(ledger: Ledger, troubles: Sequence[Trouble]) -> dict[str, Served]:
    """By name; a call belongs to the fault that was there when it was sent, else to `CALM`."""
    waited: dict[str, list[float]] = defaultdict(list)
    times: dict[str, int] = defaultdict(int)
    for trouble in troubles:
        times[trouble.name] += 1
    ordered = sorted(troubles, key=lambda one: one.began)
    position = 0
    for heard in sorted((heard for _, heard in ledger.heard()), key=lambda one: one.sent):
        while position < len(ordered) and ordered[position].ended < heard.sent:
            position += 1
        under_way = position < len(ordered) and ordered[position].began <= heard.sent
        waited[ordered[position].name if under_way else CALM].append(heard.answered - heard.sent)
    return {
        name: Served(
            times[name],
            len(waited[name]),
            percentile(waited[name] or [0.0], 0.99),
            max(waited[name], default=0.0),
        )
        for name in sorted({*times, CALM})
    }

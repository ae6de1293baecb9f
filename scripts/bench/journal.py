"""`hookswitch bench journal`: how fast the log follows, and what callers notice of it and of a lost Redis."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
from rich.console import Console

from scripts.bench import happenings, seeding, traffic
from scripts.bench.bursts import Beside, drop_calls, served
from scripts.bench.drained import Drained, drain_apart
from scripts.bench.figures import Figure, at_least, at_most, below, print_figures, ratio_of_rounds
from scripts.bench.installation import Installation, throw_away
from scripts.bench.load import Measured, Order, write_requests
from scripts.bench.lost_redis import redis_lost
from scripts.bench.processes import Cores, pinned_to, split_cores
from scripts.cli import run
from scripts.index_keeping import rebuild
from scripts.soak.fault_proxy import Fault

_NUMBERS = 2_000
_MILLI = 1_000
_SECONDS = 4.0
"""Of load: about as long as a burst is drained."""


@dataclass(frozen=True, slots=True)
class _Measures:
    drains: list[Drained]
    quiets: list[Beside]
    bursts: list[Beside]
    lost: dict[str, tuple[Measured, Measured]]


@click.command(name="journal")
@click.option("--rounds", type=click.IntRange(1, 99), default=3, show_default=True)
@click.option("--entries", type=click.IntRange(1_000, 1_000_000), default=100_000, show_default=True)
@click.option(
    "--rate", type=click.FloatRange(10, 2000), default=200, show_default=True, help="Calls a second."
)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, rounds: int, entries: int, rate: float, postgres: str | None, as_json: bool) -> None:
    """Measure the way of calls into the log: a worker's rate, a burst, and the loss of Redis.

    A burst of entries meets the worker while the web serves at the rate; beside it stands the same web
    with nothing to drain. At the end Redis falls silent, then refuses.

    Example: hookswitch bench journal --rounds 1
    """
    cores = split_cores()
    with ExitStack() as stack:
        stack.enter_context(pinned_to(cores.others))
        installation = stack.enter_context(throw_away(postgres))
        measures = _measure(installation, cores, rounds, entries, rate)
    figures = [*_figures(measures, entries)]
    if as_json:
        click.echo(json.dumps(_as_json(measures, figures)))
        return
    console = Console()
    print_figures(console, figures)
    console.print(f"Medians of {rounds} rounds; calls at {rate:g}/s; one web process and one worker.")


def _measure(installation: Installation, cores: Cores, rounds: int, entries: int, rate: float) -> _Measures:
    positions, now = range(_NUMBERS), datetime.now(UTC)
    seeding.seed(installation.database, positions, now)
    rebuild(installation.database, installation.redis, installation.layout)
    waiting = happenings.happenings(installation, positions, entries, now)
    requests = _requests(installation)
    drains, quiets, bursts = [], [], []
    for _ in range(rounds):
        happenings.journal(installation, waiting)
        drains.append(drain_apart(installation, cores.measured))
        drop_calls(installation)
        order = Order(0, str(requests), _SECONDS, rate=rate)
        quiets.append(served(installation, cores, order, ()))
        drop_calls(installation)
        bursts.append(served(installation, cores, order, waiting))
        drop_calls(installation)
    lost = {
        str(fault): redis_lost(installation, cores, fault, Order(0, str(requests), _SECONDS, rate=rate))
        for fault in (Fault.BLACKHOLE, Fault.REFUSE)
    }
    return _Measures(drains, quiets, bursts, lost)


def _requests(installation: Installation) -> Path:
    settings = installation.settings
    # Many more than are sent: a CallSid that came before is no new call.
    calls = traffic.calls(settings.twilio, settings.public_base_url, range(_NUMBERS), 20_000)
    path = installation.directory / "calls"
    write_requests(path, calls)
    return path


def _figures(measures: _Measures, entries: int) -> Iterator[Figure]:
    drains, quiets, bursts = measures.drains, measures.quiets, measures.bursts
    yield Figure(
        "a worker's drain rate, entries/s",
        median(d.entries / d.seconds for d in drains),
        goal=at_least(20_000),
    )
    yield Figure("its processor time an entry", median(1e6 * d.cpu_seconds / d.entries for d in drains), "µs")
    yield Figure(
        f"after {entries:,} entries at once: lag below 1 s",
        median(one.until_caught_up for one in bursts),
        "s",
        at_most(10),
    )
    yield Figure(
        "web meanwhile ÷ with an idle worker, requests per CPU-second",
        ratio_of_rounds([one.per_cpu_second for one in bursts], [one.per_cpu_second for one in quiets]),
        goal=at_least(0.85),
    )
    for name, of in (("p50", lambda one: one.p50), ("p99", lambda one: one.p99)):
        yield Figure(f"web with an idle worker, {name}", median(map(of, quiets)), "ms")
        yield Figure(f"web while the burst is drained, {name}", median(map(of, bursts)), "ms")
    for fault, (first, steady) in measures.lost.items():
        yield Figure(f"Redis: {fault}, worst answer", max(first.worst, steady.worst) / _MILLI, "s", below(1))
        yield Figure(f"Redis: {fault}, p99 once it is known", steady.p99, "ms", below(10))


def _as_json(measures: _Measures, figures: list[Figure]) -> dict[str, object]:
    return {
        "drains": [asdict(one) for one in measures.drains],
        "quiet": [asdict(one) for one in measures.quiets],
        "bursts": [asdict(one) for one in measures.bursts],
        "redis_lost": {
            fault: [asdict(first), asdict(steady)] for fault, (first, steady) in measures.lost.items()
        },
        "figures": [figure.as_json() for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(run(command))

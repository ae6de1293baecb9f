"""`hookswitch bench voice`: the voice webhook beside a bare route and beside the plain way, in one run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scripts.bench.figures import Figure, at_least, at_most, below, print_figures, ratio_of_rounds, spelled
from scripts.bench.installation import throw_away
from scripts.bench.load import LoadFailed, Measured, Order, run_load
from scripts.bench.processes import Cores, cpu_seconds, pinned_to, resident_bytes, split_cores
from scripts.bench.subjects import WARM_UP, Round, Subject, start
from scripts.cli import run

_IMPORTS = 5
_MEGA = 1_000_000
_IMPORT_TIMED = "from time import perf_counter as t; a = t(); import wsgi; print(t() - a)"


@dataclass(frozen=True, slots=True)
class Pace:
    """How the subjects are driven: seconds of each measurement, and the moderate rate in requests/s."""

    seconds: float
    rate: float


@click.command(name="voice")
@click.option(
    "--seconds", type=click.FloatRange(0.2, 60), default=2, show_default=True, help="Of each measurement."
)
@click.option("--rounds", type=click.IntRange(1, 99), default=7, show_default=True)
@click.option(
    "--rate", type=click.FloatRange(10, 2000), default=300, show_default=True, help="For p50 and p99."
)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, seconds: float, rounds: int, rate: float, postgres: str | None, as_json: bool) -> None:
    """Measure the voice webhook: requests a second, processor time, latency, and ratios.

    Side by side on one core, with the same gunicorn settings: a constant answer, a bare Flask route,
    the plain way on PostgreSQL, and ours with signature, lookup, decision, durable journal, TwiML.

    Example: hookswitch bench voice --rounds 3
    """
    cores, pace = split_cores(), Pace(seconds, rate)
    with ExitStack() as stack:
        stack.enter_context(pinned_to(cores.others))
        subjects = start(stack, stack.enter_context(throw_away(postgres)), cores, seconds)
        _warm_up(subjects, cores)
        _measure(subjects, cores, pace, rounds)
        memory = resident_bytes(subjects[-1].server.workers[0])
        with pinned_to(cores.measured):
            import_seconds = median(_import_seconds() for _ in range(_IMPORTS))
    figures = [*_figures(*subjects), *_small_figures(import_seconds, memory)]
    if as_json:
        click.echo(json.dumps(_as_json(subjects, figures, cores)))
        return
    console = Console()
    _print_subjects(console, subjects, pace)
    print_figures(console, figures)
    if not cores.are_apart:
        console.print("There is only one core: the load generator took part of what was measured.")


def _warm_up(subjects: Sequence[Subject], cores: Cores) -> None:
    for subject in subjects:
        _load(subject, Order(subject.server.port, str(subject.requests), WARM_UP), cores)


def _measure(subjects: Sequence[Subject], cores: Cores, pace: Pace, rounds: int) -> None:
    for subject in _with_progress([s for _ in range(rounds) for s in (*subjects[1:], subjects[0])]):
        order = Order(subject.server.port, str(subject.requests), pace.seconds)
        before = cpu_seconds(subject.server.workers)
        full = _load(subject, order, cores)
        used = cpu_seconds(subject.server.workers) - before
        paced = _load(subject, Order(order.port, order.requests, pace.seconds, rate=pace.rate), cores)
        subject.rounds.append(
            Round(
                per_second=full.per_second,
                cpu_microseconds=used / full.answers * _MEGA,
                p50=paced.p50,
                p99=paced.p99,
                generator_share=full.cpu_seconds / full.seconds,
            )
        )


def _load(subject: Subject, order: Order, cores: Cores) -> Measured:
    """Drive the subject; a wrong answer or a call that was not logged fails the bench."""
    try:
        measured = run_load(order, cores.others)
    except LoadFailed as error:
        raise click.ClickException(f"{subject.title}: {error}; {subject.said}") from error
    if measured.wrong:
        wrong = f"{measured.wrong} of {measured.answers} answers were wrong: {measured.complaint}"
        raise click.ClickException(f"{subject.title}: {wrong}; {subject.said}")
    # More are fine: one that Redis took in the end is in the journal and in the log.
    if subject.logged and (logged := subject.logged()) < measured.answers:
        lost = f"{measured.answers} answers, {logged} calls logged"
        raise click.ClickException(f"{subject.title}: {lost}; {subject.said}")
    return measured


def _with_progress(turns: list[Subject]) -> Iterator[Subject]:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        yield from progress.track(turns, description="measuring")


def _import_seconds() -> float:
    """How long a fresh process takes to import the web application, once its bytecode is cached."""
    words = [sys.executable, "-c", _IMPORT_TIMED]
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    return float(subprocess.run(words, capture_output=True, check=True, timeout=60, env=environ).stdout)


def _figures(bare: Subject, flask: Subject, plain_way: Subject, ours: Subject) -> list[Figure]:
    def ratio(of: Callable[[Round], float], other: Subject) -> float:
        return ratio_of_rounds(list(map(of, ours.rounds)), list(map(of, other.rounds)))

    def per_second(one: Round) -> float:
        return one.per_second

    def per_cpu_second(one: Round) -> float:
        return one.per_cpu_second

    return [
        Figure(
            "ours ÷ bare Flask, requests per CPU-second", ratio(per_cpu_second, flask), goal=at_least(0.85)
        ),
        Figure("ours ÷ bare Flask, requests/s", ratio(per_second, flask)),
        Figure(
            "ours ÷ the plain way, requests per CPU-second",
            ratio(per_cpu_second, plain_way),
            goal=at_least(5.5),
        ),
        Figure("ours ÷ the plain way, requests/s", ratio(per_second, plain_way)),
        Figure(
            "ours ÷ bare Flask, p99 at the moderate rate", ratio(lambda one: one.p99, flask), goal=at_most(2)
        ),
        Figure(
            "load generator's core in use, at its busiest",
            100 * bare.typical(lambda r: r.generator_share),
            "%",
        ),
    ]


def _small_figures(import_seconds: float, memory: int) -> list[Figure]:
    return [
        Figure("import wsgi", import_seconds, "s", below(0.6)),
        Figure("memory of a web process after the load", memory / _MEGA, "MB", below(120)),
    ]


def _as_json(subjects: Sequence[Subject], figures: Sequence[Figure], cores: Cores) -> dict[str, object]:
    return {
        "subjects": {s.title: [asdict(one) for one in s.rounds] for s in subjects},
        "figures": [figure.as_json() for figure in figures],
        "generator_has_its_own_core": cores.are_apart,
    }


def _print_subjects(console: Console, subjects: Sequence[Subject], pace: Pace) -> None:
    table = Table("medians of the rounds", "req/s", "CPU µs", "per CPU-s", "p50 ms", "p99 ms", box=SIMPLE)
    table.caption = f"p50 and p99 at {pace.rate:g} requests/s; CPU µs per request of the web process"
    for column in table.columns[1:]:
        column.justify = "right"
    for subject in subjects:
        cells = [
            subject.typical(lambda one: one.per_second),
            subject.typical(lambda one: one.cpu_microseconds),
            subject.typical(lambda one: one.per_cpu_second),
            subject.typical(lambda one: one.p50),
            subject.typical(lambda one: one.p99),
        ]
        table.add_row(subject.title, *map(spelled, cells))
    console.print(table)


if __name__ == "__main__":
    sys.exit(run(command))

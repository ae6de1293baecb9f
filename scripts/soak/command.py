"""`hookswitch soak`: stay right while parts fail, for minutes or for hours."""

import json
import secrets
import sys
from dataclasses import asdict

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from scripts.bench.figures import spelled
from scripts.cli import FAILED, run
from scripts.soak.premises import premises
from scripts.soak.run import Plan, Result, counted, soak

_SHOWN = 20
_MEGA = 1_000_000


@click.command(name="soak")
@click.option("--minutes", type=click.FloatRange(0.1, 24 * 60), default=10, show_default=True)
@click.option("--rate", type=click.FloatRange(1, 1000), default=50, show_default=True, help="Calls a second.")
@click.option(
    "--fault",
    "wanted",
    metavar="NAME",
    multiple=True,
    help="Play this kind only, such as 'blackhole on both'; may be repeated.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Of the chance, to have the same faults and calls again."
)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *,
    minutes: float,
    rate: float,
    wanted: tuple[str, ...],
    seed: int | None,
    postgres: str | None,
    as_json: bool,
) -> int:
    """Run load on servers of its own while their parts fail at random, then check the books.

    Nothing of this installation is read or touched. Every answer has to be right and in time, the log
    complete and without doubles, the index equal to the database, the memory flat: else status 1.

    Example: hookswitch soak --minutes 2 --rate 50
    """
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    console = Console(stderr=True)
    with premises(postgres) as opened:
        result = soak(opened, Plan(minutes * 60, rate, chosen, wanted=wanted), console.print)
    if as_json:
        click.echo(json.dumps(asdict(result) | {"broken": counted(result.violations)}))
    else:
        _print(Console(), result)
    return FAILED if result.violations else 0


def _print(console: Console, result: Result) -> None:
    broken = counted(result.violations)
    table = Table("soak", f"seed {result.seed}", box=SIMPLE, show_header=True)
    table.columns[1].justify = "right"
    rows: dict[str, int | str] = {
        "faults": sum(served.times for served in result.faults.values()),
        "calls": result.calls,
        "reports of calls": result.reports,
        "edits of campaigns": result.edits,
        "calls by source of their facts": ", ".join(f"{n:,} {name}" for name, n in result.sources.items()),
        "answers at the carrier's second attempt": result.retries,
        "apologies, all with reason"
        if "apology without need" not in broken
        else "apologies": result.apologies,
        "answered by the fallback": result.fallbacks,
        "slowest answer, s": spelled(result.slowest),
        "p99, s": spelled(result.p99),
        "slowest report, s": spelled(result.slowest_report),
        "wrong answers": _sum(broken, "wrong answer", "live campaign rejected", "inactive number dialled"),
        "lost rows": broken.get("lost row", 0),
        "double rows": broken.get("double row", 0),
        "violations": len(result.violations),
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    console.print(table)
    _print_memory(console, result)
    _print_faults(console, result)
    for violation in result.violations[:_SHOWN]:
        console.print(f"[red]{violation.breach}[/]: {violation.detail}", highlight=False)
    if len(result.violations) > _SHOWN:
        console.print(f"… and {len(result.violations) - _SHOWN} more: {broken}", highlight=False)


def _print_faults(console: Console, result: Result) -> None:
    table = Table("fault", "times", "answers", "p99, s", "slowest, s", box=SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, served in result.faults.items():
        table.add_row(
            name, f"{served.times}", f"{served.answers:,}", spelled(served.p99), spelled(served.slowest)
        )
    console.print(table)


def _print_memory(console: Console, result: Result) -> None:
    if not result.memory:
        console.print("No process lived long enough to say whether its memory is flat.")
        return
    table = Table("memory, MB", "process", "warm", "at its end", "growth", box=SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in result.memory:
        sizes = ((one.warm or 0) / _MEGA, one.last / _MEGA, one.growth / _MEGA)
        table.add_row(one.kind, str(one.pid), *(f"{size:.1f}" for size in sizes))
    console.print(table)


def _sum(broken: dict[str, int], *names: str) -> int:
    return sum(broken.get(name, 0) for name in names)


if __name__ == "__main__":
    sys.exit(run(command))

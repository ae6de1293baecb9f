"""`hookswitch bench index`: the campaign index at size: memory, rebuild, lookups, edits."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median

import click
from rich.console import Console

from models.routes import stream_campaigns
from routing.index.rebuild import Rebuilder
from routing.route import CampaignFacts
from scripts.bench import lookups, seeding
from scripts.bench.figures import (
    Figure,
    at_most,
    below,
    percentile,
    print_figures,
    ratio_of_rounds,
)
from scripts.bench.installation import Installation, a_redis, opened, throw_away
from scripts.bench.lookups import Cost, Sized
from scripts.bench.processes import pinned_to, split_cores
from scripts.bench.rebuilding import Rebuilding, rebuild_apart
from scripts.bench.watching import edits_to_visible
from scripts.cli import run
from scripts.index_keeping import rebuild

_SMALL = 1_000
_MILLION = 1_000_000
_ROUNDS = 9
_EDITS = 500


@click.command(name="index")
@click.option("--numbers", type=click.IntRange(10_000, 20_000_000), default=_MILLION, show_default=True)
@click.option("--sqlite", is_flag=True, help="Keep the truth in SQLite instead of PostgreSQL.")
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, numbers: int, sqlite: bool, postgres: str | None, as_json: bool) -> None:
    """Measure the campaign index: memory, rebuild, a lookup when small and when large, edits.

    Ten numbers to a campaign. Takes about a minute and 1 GB of disk for a million numbers.

    Example: hookswitch bench index --numbers 100000
    """
    cores, say = split_cores(), _narrator()
    numbers -= numbers % (10 * seeding.NUMBERS_OF_A_CAMPAIGN)
    with ExitStack() as stack:
        with pinned_to(cores.others):
            big = stack.enter_context(throw_away(postgres, sqlite=sqlite))
            small_redis = stack.enter_context(opened(stack.enter_context(a_redis(big.directory / "small"))))
        # The stores keep those cores; what uses them has the other.
        stack.enter_context(pinned_to(cores.measured))
        say(f"an index of {_SMALL:,} numbers")
        _seed(big, range(_SMALL))
        rebuild(big.database, small_redis, big.layout)
        say(f"a rebuild of {numbers // 10:,} numbers")
        _seed(big, range(_SMALL, numbers // 10))
        tenth = rebuild_apart(big)
        say(f"a rebuild of {numbers:,} numbers")
        _seed(big, range(numbers // 10, numbers))
        per_number = _bytes_per_number(big, numbers)
        whole = rebuild_apart(big)
        say("lookups")
        figures = [
            *_lookup_figures(Sized(small_redis, big.layout, _SMALL), Sized(big.redis, big.layout, numbers))
        ]
        say(f"{_EDITS} edits")
        with pinned_to(cores.others):
            visible = edits_to_visible(big, _EDITS, cores.measured)
    figures = [*_rebuild_figures(tenth, whole, per_number), *figures, *_edit_figures(visible)]
    if as_json:
        click.echo(json.dumps({"numbers": numbers, "figures": [figure.as_json() for figure in figures]}))
    else:
        console = Console()
        print_figures(console, figures)
        console.print(f"The large index holds {numbers:,} numbers, the small one {_SMALL:,}.")


def _narrator() -> Callable[[str], None]:
    """Say on stderr what is being measured, where somebody is watching."""
    console = Console(stderr=True)

    def say(what: str) -> None:
        if console.is_terminal:
            console.print(f"measuring {what} …")

    return say


def _seed(installation: Installation, positions: range) -> None:
    if positions:
        seeding.seed(installation.database, positions, datetime.now(UTC))


def _bytes_per_number(installation: Installation, numbers: int) -> float:
    """What the numbers add to an index that holds their campaigns; leaves the whole index."""

    def campaigns() -> Iterator[CampaignFacts]:
        with installation.database.reading() as session:
            yield from stream_campaigns(session)

    installation.redis.flushall()
    Rebuilder(installation.redis, installation.layout).rebuild(campaigns, lambda: (), lambda: ())
    without = _used_memory(installation)
    installation.redis.flushall()
    rebuild(installation.database, installation.redis, installation.layout)
    return (_used_memory(installation) - without) / numbers


def _used_memory(installation: Installation) -> int:
    return int(installation.redis.info("memory")["used_memory"])


def _rebuild_figures(tenth: Rebuilding, whole: Rebuilding, per_number: float) -> Iterator[Figure]:
    scale = max(1, whole.numbers / _MILLION)
    yield Figure(f"rebuild of {whole.numbers:,} numbers", whole.seconds, "s", at_most(12 * scale))
    for taken in (tenth, whole):
        yield Figure(f"its peak memory, {taken.numbers:,} numbers", taken.peak_bytes / _MILLION, "MB")
    yield Figure("peak memory, all ÷ a tenth", whole.peak_bytes / tenth.peak_bytes, goal=at_most(1.1))
    yield Figure("Redis memory of a number beyond its campaign", per_number, "B", at_most(80))


def _lookup_figures(small: Sized, large: Sized) -> Iterator[Figure]:
    for name, measure in (("lookup + journal", lookups.with_journal), ("lookup alone", lookups.alone)):
        rounds = [(measure(small, seed), measure(large, seed)) for seed in range(_ROUNDS + 1)]
        # The first round pays for what is loaded once.
        costs = [one for one, _ in rounds[1:]], [other for _, other in rounds[1:]]
        yield Figure(f"{name}, large, p50", median(cost.p50 for cost in costs[1]), "µs")
        yield Figure(f"{name}, large ÷ small, p50", _ratio(costs, lambda cost: cost.p50), goal=at_most(1.10))
        yield Figure(f"{name}, large ÷ small, p99", _ratio(costs, lambda cost: cost.p99), goal=at_most(1.10))
        yield Figure(f"{name}, large ÷ small, CPU of the caller", _ratio(costs, lambda cost: cost.cpu))


def _ratio(costs: tuple[list[Cost], list[Cost]], of: Callable[[Cost], float]) -> float:
    small, large = costs
    return ratio_of_rounds(list(map(of, large)), list(map(of, small)))


def _edit_figures(milliseconds: list[float]) -> Iterator[Figure]:
    yield Figure("edit, commit to visible, p50", percentile(milliseconds, 0.50), "ms")
    yield Figure("edit, commit to visible, p99", percentile(milliseconds, 0.99), "ms", below(50))


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch calls reconcile`: complete the call log from the carrier's own records."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from scripts.arguments import INSTANT
from scripts.assembly import parts
from scripts.carrier import carrier_explained, check_may_ask, open_account
from scripts.carrier_keeping import CARRIER, DAY, GRACE
from scripts.cli import run
from scripts.reconciling import Reconciler, Tally


@click.command(name="reconcile")
@click.option("--since", type=INSTANT, help="Calls that began at this instant or later; default: a day ago.")
@click.option(
    "--until", type=INSTANT, help="Calls that began and ended before this instant; default: ten minutes ago."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(since: datetime | None, until: datetime | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Ask the carrier for calls whose end was never reported and for calls that the log lacks.

    What is there already stays, and it may be run again at any time. Example: hookswitch calls
    reconcile --since 2026-11-01T00:00:00Z
    """
    now = datetime.now(UTC)
    since, until = since or now - DAY, until or now - GRACE
    if since >= until:
        raise click.UsageError("--since must be before --until")
    with parts() as opened:
        check_may_ask(opened.settings)
        with _database_explained(), carrier_explained(), _counted() as advance:
            reconciler = Reconciler(
                open_account(opened.settings),
                opened.database,
                carrier=CARRIER,
                since=since,
                until=until,
                now=now,
                progress=advance,
            )
            tally = reconciler.run()
    click.echo(json.dumps(asdict(tally)) if as_json else _summary(tally))


def _summary(tally: Tally) -> str:
    lines = [
        (tally.closed, "closed: the log had them without their end or their arrival"),
        (tally.added, "added: the log did not have them"),
        (tally.still_on, "still on: left for a later run"),
        (tally.unknown, "not known to the carrier"),
        (tally.elsewhere, "to numbers that were not ours: left alone"),
    ]
    return "\n".join(f"{count:8,} {meaning}" for count, meaning in lines)


@contextmanager
def _counted() -> Iterator[Callable[[int], None]]:
    """Count calls on stderr when that is a terminal; nobody knows beforehand how many there are."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _calls: None
        return
    columns = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} calls")
    with Progress(SpinnerColumn(), *columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("reconciling", total=None)
        yield lambda calls: progress.advance(task, calls)


@contextmanager
def _database_explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the call log cannot be read or written ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


if __name__ == "__main__":
    sys.exit(run(command))

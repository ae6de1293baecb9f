"""`hookswitch index`: rebuild the campaign index, or compare it with the truth."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click
import redis
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from models.blocked_caller import all_blocked_patterns
from models.routes import count_campaigns, count_numbers, held_or_released, stream_campaigns, stream_numbers
from routing.index.audit import IndexAudit
from routing.index.rebuild import RebuildInterrupted, RebuildUnderWay
from scripts.assembly import Parts, parts
from scripts.cli import FAILED, run
from scripts.index_keeping import rebuild as rebuild_index


@click.group(name="index")
def command() -> None:
    """Care for the campaign index in Redis.

    Example: hookswitch index verify
    """


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rebuild(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Build the index anew from SQL, beside the live one, and swap.

    Calls are answered meanwhile. Example: hookswitch index rebuild
    """
    with parts() as opened, _stores_explained(), _progress(opened, "rebuilding") as advance:
        began = monotonic()
        try:
            built = rebuild_index(opened.database, opened.redis, opened.layout, advance)
        except (RebuildUnderWay, RebuildInterrupted) as error:
            raise click.ClickException(str(error)) from error
        seconds = monotonic() - began
    if as_json:
        click.echo(
            json.dumps({"campaigns": built.campaigns, "numbers": built.numbers, "seconds": round(seconds, 3)})
        )
    else:
        click.echo(f"index rebuilt: {built.numbers} numbers, {built.campaigns} campaigns, {seconds:.1f} s")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one difference each.")
def verify(as_json: bool) -> int:  # noqa: FBT001 - click's way
    """Compare the index with SQL and list the differences; status 1 if there are any.

    Example: hookswitch index verify --json
    """
    found = 0
    with parts() as opened, _stores_explained(), _progress(opened, "comparing") as advance:
        audit = IndexAudit(opened.redis, opened.layout)
        with opened.database.reading() as campaigns, opened.database.reading() as numbers:
            differences = audit.differences(
                stream_campaigns(campaigns),
                stream_numbers(numbers),
                all_blocked_patterns(campaigns),
                lambda e164s: held_or_released(campaigns, e164s),
                advance,
            )
            for difference in differences:
                found += 1
                line = {"subject": difference.subject, "fault": difference.fault}
                click.echo(json.dumps(line) if as_json else f"{difference.subject}: {difference.fault}")
    if not as_json:
        click.echo(f"{found} differences" if found else "index and database agree")
    return FAILED if found else 0


@contextmanager
def _progress(opened: Parts, verb: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr when that is a terminal; only then the work is counted beforehand."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    if not console.is_terminal:
        yield lambda _done: None
        return
    with Progress(*columns, console=console) as progress:
        with opened.database.reading() as session:
            total = count_campaigns(session) + count_numbers(session)
        task = progress.add_task(verb, total=total)
        yield lambda done: progress.advance(task, done)


@contextmanager
def _stores_explained() -> Iterator[None]:
    """Say in one line which store does not answer."""
    try:
        yield
    except redis.RedisError as error:
        raise click.ClickException(
            f"Redis does not answer ({type(error).__name__}); check REDIS_URL"
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database cannot be read ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


if __name__ == "__main__":
    sys.exit(run(command))

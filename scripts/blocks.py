"""`hookswitch blocks`: whom a group, and every group below it, does not want to hear from."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import redis
from sqlalchemy.exc import SQLAlchemyError

from admin import blocks
from admin.access.actor import on_the_server
from admin.errors import Invalid, Refusal
from models.blocked_caller import BlockedCaller, Hits, hits, listed
from routing.blocks import CallerPattern
from routing.index.writer import IndexWriter
from scripts.arguments import CALLERS, INSTANT
from scripts.assembly import Parts, parts
from scripts.cli import run
from scripts.explain import printable
from scripts.publication import Publication

_AUTHOR = on_the_server(0).author


@click.group(name="blocks")
def command() -> None:
    """Block callers: their calls are rejected before anything else is looked at, and logged as such.

    Example: hookswitch blocks list
    """


@command.command()
@click.argument("callers", type=CALLERS)
@click.option("--group", "group_id", type=int, required=True, help="The id of the group; those below follow.")
@click.option("--reason", default="", help="Why, for whoever looks at the list later.")
@click.option("--until", type=INSTANT, help="The instant at which it ends by itself; default: never.")
def add(callers: CallerPattern, group_id: int, reason: str, until: datetime | None) -> None:
    """Block CALLERS: a number, all numbers that begin alike (+1900*), or anonymous.

    Example: hookswitch blocks add '+1900*' --group 1 --reason "robot calls" --until 2027-01-01T00:00:00Z
    """
    now = datetime.now(UTC)
    if until is not None and until <= now:
        raise click.UsageError("--until names an instant that is over; a block ends in the future")
    with parts() as opened, _trouble_explained():
        actor = on_the_server(group_id)
        raw = {"callers": callers, "reason": reason, "expires_at": until}
        with opened.database.session(actor.author) as session:
            added = blocks.add(session, actor, raw, now)
        click.echo(f"block {added.id}: {callers.text}, group {group_id}, {_until(added)}")
        _publish(opened)


@command.command(name="list")
@click.option("--group", "group_id", type=int, help="Only those of this group and the groups below.")
@click.option("--all", "ended", is_flag=True, help="Those too that were lifted or have expired.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one block each.")
def show(group_id: int | None, ended: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """List the blocks, with the calls in the log that each one has kept out.

    Example: hookswitch blocks list --group 1 --json
    """
    with parts() as opened, _trouble_explained(), opened.database.reading() as session:
        shown = listed(session, group_id, at=datetime.now(UTC), ended=ended)
        counted = hits(session, [found.id for found in shown])
    for found in shown:
        line = _as_json(found, counted.get(found.id, Hits()))
        click.echo(json.dumps(line) if as_json else _as_text(found, counted.get(found.id, Hits())))
    if not shown and not as_json:
        click.echo("nobody is blocked")


@command.command()
@click.argument("block_id", type=int)
def lift(block_id: int) -> None:
    """Let the callers of a block through again; it stays in the list as lifted.

    Example: hookswitch blocks lift 3
    """
    with parts() as opened, _trouble_explained():
        with opened.database.session(_AUTHOR) as session:
            there = session.get(BlockedCaller, block_id)
            # Whoever types on the server sees every group.
            actor = on_the_server(0 if there is None else there.group_id)
            found = blocks.lift(session, actor, block_id, datetime.now(UTC))
        click.echo(f"block {block_id}: {found.pattern}, group {found.group_id}, lifted")
        _publish(opened)


def _publish(opened: Parts) -> None:
    try:
        Publication(opened.database, IndexWriter(opened.redis, opened.layout)).publish()
    except redis.RedisError as error:
        click.echo(
            f"hookswitch: Redis does not answer ({type(error).__name__});"
            " a worker will tell the index as soon as it does",
            err=True,
        )


def _as_json(found: BlockedCaller, counted: Hits) -> dict[str, object]:
    return {
        "id": found.id,
        "group_id": found.group_id,
        "callers": found.pattern,
        "reason": found.reason,
        "created_at": _instant(found.created_at),
        "expires_at": _instant(found.expires_at),
        "lifted_at": _instant(found.lifted_at),
        "hits": counted.count,
        "last_hit_at": _instant(counted.last_at),
    }


def _as_text(found: BlockedCaller, counted: Hits) -> str:
    calls = "1 call" if counted.count == 1 else f"{counted.count} calls"
    if counted.last_at is not None:
        calls += f", the last {_instant(counted.last_at)}"
    said = f"{found.id}: {found.pattern}, group {found.group_id}, {_until(found)}, {calls}"
    return f"{said}: {printable(found.reason)}" if found.reason else said


def _until(found: BlockedCaller) -> str:
    if found.lifted_at is not None:
        return f"lifted {_instant(found.lifted_at)}"
    return "for good" if found.expires_at is None else f"until {_instant(found.expires_at)}"


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def _trouble_explained() -> Iterator[None]:
    """Say in one line what was wrong with what was asked for, or that the database does not answer."""
    try:
        yield
    except Invalid as invalid:
        raise click.ClickException("; ".join(error.message for error in invalid.errors)) from invalid
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the block lists cannot be reached ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch reports`: the roll-ups that reports are read from."""

import sys
from datetime import UTC, datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from models.reporting import roller
from scripts.assembly import parts
from scripts.cli import run


@click.group(name="reports")
def command() -> None:
    """Count the call log anew for reports, or check what was counted.

    Example: hookswitch reports verify
    """


@command.command(name="rebuild")
def rebuild() -> None:
    """Forget all roll-ups and count the call log anew; reports stay right meanwhile, and slow.

    Safe to interrupt: the worker goes on. Example: hookswitch reports rebuild
    """
    with parts() as opened:
        if _needs_none(opened.database):
            return
        try:
            days = roller.begin_anew(opened.database)
            with click.progressbar(length=days, label="rolling up", file=sys.stderr) as bar:
                done = roller.bring_up_to_date(opened.database, datetime.now(UTC), bar.update)
        except SQLAlchemyError as error:
            raise _unreadable(error) from error
    click.echo(f"{done} days rolled up; {days - done} are left to the log or to the worker")


@command.command(name="verify")
def verify() -> None:
    """Compare the roll-ups with the call log; status 1 if they differ.

    Days that have changed since they were rolled up are left out: reports read them from the log.
    Example: hookswitch reports verify
    """
    with parts() as opened:
        if _needs_none(opened.database):
            return
        try:
            found = roller.differences(opened.database)
        except SQLAlchemyError as error:
            raise _unreadable(error) from error
    for begins, count in sorted(found.items()):
        click.echo(f"{begins}: {count} roll-ups differ")
    if found:
        raise click.ClickException("the roll-ups differ from the log; run `hookswitch reports rebuild`")
    click.echo("the roll-ups are what the log says")


def _needs_none(database: Database) -> bool:
    if database.is_postgresql:
        return False
    click.echo("SQLite needs no roll-ups: its reports read the call log")
    return True


def _unreadable(error: SQLAlchemyError) -> click.ClickException:
    return click.ClickException(
        f"the call log cannot be read ({type(error).__name__}); try `hookswitch doctor`"
    )


if __name__ == "__main__":
    sys.exit(run(command))

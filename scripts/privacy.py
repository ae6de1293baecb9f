"""`hookswitch privacy`: what the log has of one caller, shown to him or erased."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.audit import AuditEntry, Via
from models.call_rows import spelled_out
from models.privacy import erase, story_of, traces
from routing.numbers import PhoneNumber
from scripts.arguments import PHONE_NUMBER
from scripts.assembly import Parts, parts
from scripts.cli import run


@click.group(name="privacy")
def command() -> None:
    """Show or erase what the call log has of one caller. Each leaves an entry in the audit trail.

    Example: hookswitch privacy export +13035550142
    """


@command.command(name="export")
@click.argument("caller", type=PHONE_NUMBER, metavar="NUMBER")
def export(caller: PhoneNumber) -> None:
    """Print every call of NUMBER, with what the carrier reported of it, as JSON Lines.

    Calls whose number was forgotten since are among them. Example: hookswitch privacy export +13035550142
    """
    with parts() as opened, _log_explained():
        count = 0
        with opened.database.reading() as session:
            for call in story_of(session, caller, _key(opened)):
                click.echo(json.dumps(call, default=spelled_out, ensure_ascii=False))
                count += 1
        with opened.database.session() as session:
            _note(session, "exported", caller, count)


@command.command(name="erase")
@click.argument("caller", type=PHONE_NUMBER, metavar="NUMBER")
@click.option("--apply", is_flag=True, help="Do it; without, only say what would be done.")
def erase_caller(caller: PhoneNumber, apply: bool) -> None:  # noqa: FBT001 - click's way
    """Take NUMBER out of the call log for good. The calls stay, as calls of somebody unknown.

    Recordings lie with the carrier: delete there those that are named. A block of the number stays until
    it is lifted. Example: hookswitch privacy erase +13035550142 --apply
    """
    with parts() as opened, _log_explained():
        if apply:
            with opened.database.session() as session:
                found = erase(session, caller, _key(opened))
                _note(session, "erased", caller, found.calls)
        else:
            with opened.database.reading() as session:
                found = traces(session, caller, _key(opened))
    done = "erased from" if apply else "would be erased from"
    click.echo(f"{caller.masked} {done} {found.calls} calls{'' if apply else '; do it with --apply'}")
    for recording in found.recordings:
        click.echo(f"recording {recording} is to be deleted at the carrier")


def _key(opened: Parts) -> bytes:
    return opened.settings.secret_key.reveal().encode()


def _note(session: Session, what: str, caller: PhoneNumber, calls: int) -> None:
    session.add(
        AuditEntry(
            at=datetime.now(UTC),
            via=Via.COMMAND,
            entity="caller",
            entity_id=0,
            field=what,
            new=f"{caller.masked}, {calls} calls",
        )
    )


@contextmanager
def _log_explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the call log cannot be read or written ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


if __name__ == "__main__":
    sys.exit(run(command))

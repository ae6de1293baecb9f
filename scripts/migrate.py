"""`hookswitch migrate`: bring the database to the schema that this version wants."""

import json
import sys

import click
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from models import migrate
from routing.durable import private_folder
from scripts import settings as settings_of
from scripts.cli import run
from scripts.settings import Settings


class NotMigrated(Exception):
    """The database is not at the schema we work with; the message says why, in one line."""


def bring_up_to_date(settings: Settings) -> tuple[str | None, str | None]:
    """Migrate; return the revision before (None: an empty database) and after. Raises `NotMigrated`."""
    url = settings.database_url
    try:
        if str(settings.var) in url:
            private_folder(settings.var)
        before = migrate.current(url)
        migrate.upgrade(url)
        return before, migrate.current(url)
    except SQLAlchemyError as error:
        raise NotMigrated(
            f"the database cannot be migrated ({type(error).__name__}); check DATABASE_URL"
        ) from error
    except CommandError as error:
        raise NotMigrated("the database is at a schema that this version does not know; update it") from error
    except OSError as error:
        raise NotMigrated(f"{settings.var} cannot be made ({error.strerror})") from error


@click.command(name="migrate")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Bring the database to the current schema; safe to repeat.

    Example: hookswitch migrate
    """
    try:
        before, after = bring_up_to_date(settings_of.load(settings_of.environment()))
    except NotMigrated as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"from": before, "to": after}))
    elif before == after:
        click.echo(f"the schema is at {after} already")
    else:
        click.echo(f"the schema went from {before or 'nothing'} to {after}")


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch token`: make an API token for a user."""

import sys
from datetime import datetime

import click

from admin import tokens
from admin.access.actor import on_the_server
from admin.drafts import spelled
from models.api_token import Scope
from scripts.arguments import INSTANT
from scripts.cli import run
from scripts.user import AUTHOR, changing, found_user


@click.group(name="token")
def command() -> None:
    """Make the API tokens that programs sign in with.

    Example: hookswitch token create --email ada@example.com --name crm
    """


@command.command()
@click.option("--email", required=True, help="Whom the token speaks for.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.WRITE.value,
    show_default=True,
    help="The most that it may do; admin: also users, groups, plans and tokens.",
)
@click.option("--expires", type=INSTANT, help="When it ends, such as 2027-07-01T00:00:00Z; default: never.")
def create(email: str, name: str, scope: str, expires: datetime | None) -> None:
    """Print a new API token; it is shown this once.

    Example: hookswitch token create --email ada@example.com --name crm --expires 2027-07-01T00:00:00Z
    """
    with changing() as (opened, now), opened.database.session(AUTHOR) as session:
        user = found_user(session, email)
        raw = {"name": name, "scope": scope, "user_id": user.id}
        if expires is not None:
            raw["expires_at"] = spelled(expires)
        _, secret = tokens.create(session, on_the_server(user.group_id), raw, now)
    click.echo(secret)


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch user`: create, list and disable users, and let back in who cannot sign in."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from admin import users
from admin.access.actor import Actor, on_the_server
from admin.access.links import VALID_FOR
from admin.access.passwords import LONGEST, SHORTEST, Passwords, problem_with
from admin.drafts import spelled
from admin.errors import Refusal
from models.group import Group, ancestors
from models.user import Role, User, user_by_email
from scripts.assembly import Parts, parts
from scripts.cli import run
from scripts.logs import quiet_logs


@click.group(name="user")
def command() -> None:
    """Care for the users who sign in.

    Example: hookswitch user create --email ada@example.com --name "Ada Admin" --role admin --group Main
    """


@command.command()
@click.option("--email", required=True, help="What he signs in with.")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--group", required=True, help="Name, external ID or id; the very first one is made.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, name: str, role: str, group: str, password_stdin: bool) -> None:  # noqa: FBT001 - click's way
    """Create a user with a password, which is asked for.

    Example: hookswitch user create --email ada@example.com --name "Ada Admin" --role admin --group Main
    """
    password = _password(password_stdin, email, name)
    with changing() as (opened, now):
        hashed = Passwords().hash(password)
        with opened.database.session(AUTHOR) as session:
            home = _group(session, group)
            raw = {"email": email, "name": name, "role": role, "group_id": home.id}
            user, _ = users.create(session, on_the_server(home.id), raw, now)
            users.give_password(session, user, hashed, now)
    click.echo(f"user {user.id} created: {user.email}, {user.role.value} of {home.name}")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one user each.")
def list_users(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """List all users.

    Example: hookswitch user list --json
    """
    with changing() as (opened, _now), opened.database.reading() as session:
        rows = session.execute(
            select(User, Group.name).join(Group, Group.id == User.group_id).order_by(User.id)
        )
        shown = [_shown(user, group) for user, group in rows]
    for row in shown:
        click.echo(json.dumps(row) if as_json else _line(row))


@command.command()
@click.argument("email")
@click.option("--new-owner", help="E-mail address of who takes over the campaigns that he owns.")
def disable(email: str, new_owner: str | None) -> None:
    """End the sessions and tokens of a user at once, and let him in no more.

    Example: hookswitch user disable otis@example.com --new-owner ada@example.com
    """
    with changing() as (opened, now), opened.database.session(AUTHOR) as session:
        user = found_user(session, email)
        raw = {} if new_owner is None else {"new_owner_id": found_user(session, new_owner).id}
        users.disable(session, _root_of(session, user), user.id, raw, now)
    click.echo(f"user {user.id} is disabled")


@command.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled user sign in again; his tokens stay revoked.

    Example: hookswitch user enable otis@example.com
    """
    with changing() as (opened, _now), opened.database.session(AUTHOR) as session:
        user = found_user(session, email)
        users.enable(session, _root_of(session, user), user.id)
    click.echo(f"user {user.id} is enabled")


@command.command(name="reset-link")
@click.argument("email")
@click.option("--without-second-factor", is_flag=True, help="Also remove the second factor, if it is lost.")
def reset_link(email: str, without_second_factor: bool) -> None:  # noqa: FBT001 - click's way
    """Print a link by which a user sets a password, once.

    It is valid for an hour, or for 72 where he never had a password. Example: hookswitch user
    reset-link ada@example.com
    """
    with changing() as (opened, now), opened.database.session(AUTHOR) as session:
        user = found_user(session, email)
        actor = _root_of(session, user)
        if without_second_factor:
            users.remove_second_factor(session, actor, user.id)
        purpose, secret = users.make_link(session, actor, user.id, now)
    click.echo(f"{opened.settings.public_base_url}/password#{secret}")
    click.echo(f"valid until {spelled(now + VALID_FOR[purpose])}, once", err=True)


AUTHOR = on_the_server(0).author


@contextmanager
def changing() -> Iterator[tuple[Parts, datetime]]:
    """Open the stores; what cannot be done is said in one line."""
    try:
        with parts() as opened, quiet_logs():
            yield opened, datetime.now(UTC)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database does not answer rightly ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


def _password(from_stdin: bool, email: str, name: str) -> str:  # noqa: FBT001
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(
            f"Password ({SHORTEST} to {LONGEST} characters)",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
    problem = problem_with(password, email=email, name=name)
    if problem is not None:
        raise click.ClickException(f"the password {problem}")
    return password


def _group(session: Session, wanted: str) -> Group:
    """The group of that name, external ID or id; where there is none at all yet, a new one."""
    if session.scalar(select(Group.id).limit(1)) is None:
        first = Group(name=wanted)
        session.add(first)
        session.flush()
        return first
    is_it = or_(Group.name == wanted, Group.external_id == wanted)
    if wanted.isascii() and wanted.isdigit():
        is_it = or_(is_it, Group.id == int(wanted[:18]))
    found = session.scalars(select(Group).where(is_it).limit(2)).all()
    if len(found) != 1:
        raise click.ClickException(
            f"there is no group {wanted!r}"
            if not found
            else f"several groups are called {wanted!r}; give the id"
        )
    return found[0]


def found_user(session: Session, email: str) -> User:
    user = user_by_email(session, email)
    if user is None:
        raise click.ClickException(f"there is no user {email!r}; `hookswitch user list` shows all")
    return user


def _root_of(session: Session, user: User) -> Actor:
    return on_the_server(ancestors(session, user.group_id)[0].id)


def _shown(user: User, group: str) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "group": group,
        "status": user.status,
        "second_factor": user.totp_confirmed_at is not None,
        "created_at": spelled(user.created_at),
    }


def _line(row: dict[str, object]) -> str:
    extra = ", second factor" if row["second_factor"] else ""
    rights = f"{row['role']} of {row['group']}, {row['status']}{extra}"
    # Operators type these names; a terminal must not obey what is in them.
    return "".join(filter(str.isprintable, f"{row['id']:>5}  {row['email']}  {row['name']}, {rights}"))


if __name__ == "__main__":
    sys.exit(run(command))

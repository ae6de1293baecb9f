"""An account with people in it, and ways for them to come in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.access.identity import actor_of
from admin.access.passwords import Passwords
from admin.access.visitor import Visitor
from admin.desk import Desk
from admin.own_account import OwnAccount
from admin.signing_in import Opened, SigningIn
from models.api_token import Scope
from models.audit import AuditEntry, Via
from models.database import Database
from models.user import Role, User
from tests.builders import NOW, a_group, a_user

KEY = "k" * 32
PASSWORD = "six grey geese on the lake"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = QUICK.hash(PASSWORD)
HOME = Visitor("198.51.100.7", "Firefox")


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def somebody(session: Session, **said: Any) -> User:
    """A user who chose his password long ago."""
    plain = {"password_hash": HASH, "password_changed_at": NOW - timedelta(days=90)}
    return a_user(session, **(plain | said))


def acting(user: User, scope: Scope = Scope.ADMIN, via: Via = Via.PAGE) -> Actor:
    return actor_of(user, scope, via)


class Premises:
    """The door of an installation, with a clock of its own and quick hashes."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.database = database
        self.desk = Desk(database, self.clock, lambda: None)
        self.passwords = Passwords(QUICK)
        self.door = SigningIn(self.desk, self.passwords, KEY)
        self.account = OwnAccount(self.desk, self.passwords, KEY)

    def a_user(self, **said: Any) -> User:
        with self.database.session() as session:
            return somebody(session, **said)

    def sign_in(self, user: User | str, password: str = PASSWORD, visitor: Visitor = HOME) -> Opened:
        email = user if isinstance(user, str) else user.email
        return self.door.sign_in({"email": email, "password": password}, visitor, self.clock())

    def trail_of(self, user: User) -> list[tuple[str, str | None]]:
        """What the audit trail says of a user beside his creation."""
        with self.database.reading() as session:
            entries = session.query(AuditEntry).filter_by(entity="user", entity_id=user.id)
            found = [(entry.field, entry.new) for entry in entries.order_by(AuditEntry.id)]
        return [entry for entry in found if entry[0] != "created"]


@dataclass(frozen=True)
class Tree:
    """A root with two branches; each branch has an admin and a standard user."""

    root: int
    north: int
    south: int
    ada: User
    """Admin of all."""
    nora: User
    """Admin of the north."""
    otis: User
    """Standard user of the north."""
    sue: User
    """Admin of the south."""


def a_tree(session: Session) -> Tree:
    root = a_group(session, name="Bay Bakery", time_zone="America/Los_Angeles").id
    north = a_group(session, name="North", parent_id=root).id
    south = a_group(session, name="South", parent_id=root, time_zone="Europe/Berlin").id
    return Tree(
        root,
        north,
        south,
        ada=somebody(session, name="Ada", group_id=root),
        nora=somebody(session, name="Nora", group_id=north),
        otis=somebody(session, name="Otis", group_id=north, role=Role.STANDARD),
        sue=somebody(session, name="Sue", group_id=south),
    )

"""Ways to come in at the door of `Premises`, rightly and wrongly."""

from collections.abc import Callable

import pyotp

from admin.access import identity as identities
from admin.access import second_factor
from admin.access.identity import Identity
from admin.access.visitor import Visitor
from admin.errors import NotSignedIn, TryLater
from admin.signing_in import Opened
from models.user import User
from tests.admin.people import HOME, Premises

GUESSER = Visitor("203.0.113.66", "curl")


def whose(premises: Premises, cookie: str) -> Identity | None:
    with premises.database.reading() as session:
        return identities.of_cookie(session, cookie, premises.clock())


def with_app(premises: Premises, user: User) -> pyotp.TOTP:
    """Give the user a second factor; returns his app."""
    with premises.database.session() as session:
        user = session.get_one(User, user.id)
        secret, _ = second_factor.enrol(user)
        second_factor.confirm(session, user, premises.clock())
    return pyotp.TOTP(secret)


def code_at(premises: Premises, app: pyotp.TOTP) -> str:
    return app.at(premises.clock())


def guess(premises: Premises, user: User | str, times: int, visitor: Visitor = GUESSER) -> list[str]:
    """Guess wrongly; returns what became of each."""
    outcomes = []
    for _ in range(times):
        try:
            premises.sign_in(user, "not the password", visitor)
        except (NotSignedIn, TryLater) as refusal:
            outcomes.append(type(refusal).__name__)
    return outcomes


def half_signed_in(premises: Premises, user: User) -> Identity:
    found = whose(premises, premises.sign_in(user).cookie)
    assert found is not None
    return found


def give(premises: Premises, identity: Identity, code: str, visitor: Visitor = HOME) -> Opened:
    return premises.door.give_second_factor(identity, {"code": code}, visitor, premises.clock())


def is_let_in(try_it: Callable[[], object]) -> bool:
    try:
        try_it()
    except (NotSignedIn, TryLater):
        return False
    return True

"""Browsers from which a user signed in well: what a guesser does elsewhere does not slow them down.

The mark is a cookie that is sealed for one user. It opens nothing; it only says under which count the
next attempt falls, so a stolen one gives no more guesses than any new browser has.
"""

from admin.access.credentials import is_sealed, new_secret, seal
from models.user import User

_FOR = "known browser"


def mark_for(secret_key: str, user: User) -> str:
    """Make a mark; it is void as soon as the user has another password."""
    nonce = new_secret()
    return f"{nonce}.{seal(secret_key, _FOR, nonce, user.id, user.password_changed_at)}"


def is_marked(secret_key: str, mark: str, user: User) -> bool:
    nonce, _, given = mark.partition(".")
    return is_sealed(given, secret_key, _FOR, nonce, user.id, user.password_changed_at)

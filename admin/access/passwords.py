"""Passwords: which ones are good enough, how they are kept, how one is checked.

Length counts, nothing else (OWASP ASVS 5.0, 6.2): no rules on kinds of characters, no expiry, nothing
cut off; refused are the commonest and those that hold the user's own name or address.
"""

import hashlib
import threading
import unicodedata
from collections.abc import Callable
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from admin.errors import TryLater

SHORTEST = 12
LONGEST = 256
"""In characters, both; the longest bounds the work of hashing, not the password."""
_SHORTEST_WORD = 4
"""A name of fewer letters is in too many good passwords."""
_DIGITS = 12
"""Of each digest in the list of common passwords."""
_PATIENCE = 2.0
"""Seconds to wait for one's turn."""

_Done = TypeVar("_Done")


class Passwords:
    """Hashes with Argon2id, parameters as the library recommends (RFC 9106, low memory: 64 MiB).

    One password at a time in each process, so that a crowd at the door cannot take the memory and the
    processors that calls need. Raises `TryLater` when the crowd is too large.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.Lock()
        self._nobodys: str | None = None

    def hash(self, password: str) -> str:
        return self._in_turn(lambda: self._hasher.hash(_bytes(password)))

    def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; takes as long where there is none (`password_hash` is None)."""
        return self._in_turn(lambda: self._matches(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than ours, so that it should be made anew."""
        return self._hasher.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's")
        # A longer one was never accepted, so it is wrong; it takes its time all the same.
        is_possible = password_hash is not None and len(password) <= LONGEST
        kept = password_hash if is_possible and password_hash else self._nobodys
        try:
            self._hasher.verify(kept, _bytes(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
        return is_possible

    def _in_turn(self, work: Callable[[], _Done]) -> _Done:
        if not self._turn.acquire(timeout=_PATIENCE):
            raise TryLater(1)
        try:
            return work()
        finally:
            self._turn.release()


def problem_with(password: str, *, email: str, name: str) -> str | None:
    """Why this must not be the password of this user, in words for him; None if it may."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        return f"must have {SHORTEST} characters or more; several words make a good one"
    if len(password) > LONGEST:
        return f"must have {LONGEST} characters at most"
    folded = normal.casefold()
    if any(word in folded for word in _own_words(email, name)):
        return "must not contain your own name or e-mail address"
    if _is_common(folded):
        return "is one of the commonest passwords; several words that only you put together make a good one"
    return None


def _own_words(email: str, name: str) -> set[str]:
    local_part = email.partition("@")[0]
    words = {"hookswitch", email, local_part, name, *name.split()}
    return {_normal(word).casefold() for word in words if len(word) >= _SHORTEST_WORD}


def _is_common(folded: str) -> bool:
    # Read when it is needed, which is seldom: the web process keeps its memory.
    known = files("admin.access").joinpath("common_passwords.txt").read_text(encoding="ascii")
    digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
    return f"\n{digest[:_DIGITS]}\n" in known


def _normal(text: str) -> str:
    """The same letters typed on another machine give the same text (RFC 8265 asks for it)."""
    return unicodedata.normalize("NFKC", text)


def _bytes(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")

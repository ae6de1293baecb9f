"""Block lists: the callers whom a group, and with it every group below, does not want to hear from."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from routing.numbers import PhoneNumber, mask

WITHHELD = "anonymous"
"""The pattern of all who give no number."""
_PATTERN = re.compile(rf"\+[1-9][0-9]{{6,14}}|\+[1-9][0-9]{{0,13}}\*|{WITHHELD}")
_PUNCTUATION = str.maketrans(dict.fromkeys(" \t-.()/") | {"…": "*"})


class NotAPattern(ValueError):
    """The text names no callers; the message says what does, never the text itself."""


@dataclass(frozen=True, slots=True, order=True, repr=False)
class CallerPattern:
    """Whom a block is for: `+14155550142`, all numbers that begin like `+1900*`, or `anonymous`.

    Printing it masks a whole number; `text` is the pattern itself.
    """

    text: str

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(self.text):
            raise NotAPattern(f"callers look like +14155550142, +1900* or {WITHHELD}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern with or without spaces, dashes and brackets; raise `NotAPattern` otherwise."""
        return cls(text.strip().lower().translate(_PUNCTUATION))

    def __str__(self) -> str:
        whole = self.text != WITHHELD and not self.text.endswith("*")
        return mask(self.text) if whole else self.text

    def __repr__(self) -> str:
        return f"CallerPattern({self})"


@dataclass(frozen=True, slots=True)
class Block:
    """One caller or kind of callers on the list of one group."""

    block_id: int
    group_id: int
    pattern: CallerPattern
    expires_at: datetime | None = None
    """The first instant, aware UTC, at which it blocks nobody any more; None: never."""

    def in_force(self, at: datetime) -> bool:
        return self.expires_at is None or at < self.expires_at


@dataclass(frozen=True, slots=True)
class BlockedPattern:
    """All blocks of one pattern, whichever groups they are of: what the index stores together.

    None are left once all were lifted; it is kept all the same, since its revision tells that from
    an older list.
    """

    pattern: CallerPattern
    revision: int
    blocks: tuple[Block, ...] = ()


def patterns_of(caller: PhoneNumber | None) -> tuple[str, ...]:
    """Every pattern that a caller fits, the narrowest first; None: the number was withheld."""
    if caller is None:
        return (WITHHELD,)
    e164 = caller.e164
    return (e164, *(f"{e164[:length]}*" for length in range(len(e164), 1, -1)))


def fitting(callers: CallerPattern) -> tuple[str, ...]:
    """Every pattern that all of these callers fit, the narrowest first."""
    if callers.text == WITHHELD:
        return patterns_of(None)
    if not callers.text.endswith("*"):
        return patterns_of(PhoneNumber(callers.text))
    begins = callers.text.removesuffix("*")
    return tuple(f"{begins[:length]}*" for length in range(len(begins), 1, -1))

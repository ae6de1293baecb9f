"""What a snapshot file holds.

A line naming the format; then blocks of lines `<key> <facts>`, all campaigns by id, all numbers by
E.164 text and all blocked callers by pattern, the facts as `routing.encoding` and
`routing.block_encoding` write them, the keys in the order of their bytes; then the `Contents`
as JSON; then a line of fixed length with the place of the contents and the digest of all that stands
before it. Only the first key of each block is held in memory, and a block is checked
each time it is read: one that was changed after the digest had been verified routes nobody wrongly.
"""

from bisect import bisect_right
from datetime import datetime

import msgspec

FORMAT = b"hookswitch routes 1\n"
"""The first line; another version's file begins differently, and is not read."""
BLOCK = 2048
"""Bytes after which a block ends; about a hundred numbers, or ten campaigns."""
END_LENGTH = 20 + 1 + 64 + 1
DIGEST_LENGTH = 64 + 1


class Table(msgspec.Struct):
    """Where the blocks of one kind of facts lie."""

    count: int
    """How many facts there are."""
    firsts: list[str]
    """The first key of each block."""
    places: list[int]
    """Where each block begins, and where the last one ends."""
    checksums: list[int]
    """CRC-32 of each block."""

    def block_of(self, key: str) -> int | None:
        """The block that has `key`, if any has."""
        block = bisect_right(self.firsts, key) - 1
        return None if block < 0 else block


class Contents(msgspec.Struct):
    taken_at: datetime
    campaigns: Table
    numbers: Table
    blocked: Table | None = None
    """None: written by a version that had no block lists. One that has none reads past it."""


def end_line(place: int) -> bytes:
    """The part of the last line that the digest covers: where the contents begin."""
    return b"%020d " % place

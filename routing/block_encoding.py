"""How blocks are written in Redis, in the last-known copy and in the log.

The index and the copy keep `<revision> <JSON array>` for each pattern; what belongs to a call is
lines of such arrays without the revision.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from routing.blocks import Block, BlockedPattern, CallerPattern
from routing.encoding import NO_FACT, Unreadable, instant


class _Block(msgspec.Struct, omit_defaults=True):
    id: int
    group: int
    pattern: str
    expires: datetime | None = None


_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(list[_Block]).decode


def encode_blocks(blocks: Iterable[Block]) -> bytes:
    """One line without its end; empty where there are none."""
    records = [_Block(b.block_id, b.group_id, b.pattern.text, b.expires_at) for b in blocks]
    return _encode(records) if records else b""


def encode_blocked(blocked: BlockedPattern) -> bytes:
    return b"%d %b" % (blocked.revision, encode_blocks(blocked.blocks) or b"[]")


def decode_blocks(raw: bytes) -> list[Block]:
    """Read the lines that belong to a call, raise `Unreadable`."""
    try:
        return [_block(record) for line in raw.splitlines() for record in _read(line)]
    except NO_FACT as error:
        raise Unreadable("blocks") from error


def without_revision(stored: bytes) -> bytes:
    """The line of a stored pattern as it belongs to a call."""
    return stored.partition(b" ")[2]


def _block(record: _Block) -> Block:
    expires = None if record.expires is None else instant(record.expires)
    return Block(record.id, record.group, CallerPattern(record.pattern), expires)

"""Write all routes into one sorted file, in near-constant memory however many there are."""

import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from heapq import merge
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import msgspec

from routing.block_encoding import encode_blocked
from routing.blocks import BlockedPattern
from routing.durable import MODE, private_folder, replacing
from routing.encoding import encode_campaign, encoded
from routing.route import CampaignFacts, NumberFacts
from routing.snapshot.layout import BLOCK, FORMAT, Contents, Table, end_line

_RUN = 25_000
"""Lines sorted in memory at once: a few megabytes, and forty runs to merge for a million numbers."""


class SnapshotUnderWay(Exception):
    """Another process of this host is writing the snapshot."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a snapshot holds; `bytes` is its whole size."""

    numbers: int
    campaigns: int
    bytes: int


def write(
    path: Path,
    campaigns: Iterable[CampaignFacts],
    numbers: Iterable[NumberFacts],
    taken_at: datetime,
    blocked: Iterable[BlockedPattern] = (),
) -> Written:
    """Replace the snapshot at `path` by these facts, known at the aware instant `taken_at`.

    They may come in any order; of facts that come twice the higher revision counts. Whatever goes
    wrong, the old file stays. Raises `OSError`, `SnapshotUnderWay`, and what the iterables raise.
    """
    return write_stored(path, campaigns, encoded(numbers), blocked, taken_at)


def write_stored(
    path: Path,
    campaigns: Iterable[CampaignFacts],
    numbers: Iterable[tuple[str, str | bytes]],
    blocked: Iterable[BlockedPattern],
    taken_at: datetime,
) -> Written:
    """As `write`, of numbers as `routing.encoding.encoded` makes them: E.164 text and what is stored."""
    if taken_at.tzinfo is None:
        raise ValueError("a snapshot is taken at an instant with its offset")
    private_folder(path.parent)
    with _alone(path), replacing(path) as file:
        out = _Digested(file)
        out.write(FORMAT)
        contents = Contents(
            taken_at=taken_at,
            campaigns=_write_table(out, _campaign_lines(campaigns), path.parent),
            numbers=_write_table(out, _number_lines(numbers), path.parent),
            blocked=_write_table(out, _blocked_lines(blocked), path.parent),
        )
        place = out.length
        out.write(msgspec.json.encode(contents) + b"\n")
        out.write(end_line(place))
        out.write(out.digest.hexdigest().encode() + b"\n")
        return Written(contents.numbers.count, contents.campaigns.count, out.length)


class _Digested:
    """A file that knows its length and the digest of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()
        self.length = 0

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self.digest.update(content)
        self.length += len(content)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, MODE)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SnapshotUnderWay("another process is writing the snapshot") from error
        yield
    finally:
        os.close(lock)


def _campaign_lines(campaigns: Iterable[CampaignFacts]) -> Iterator[bytes]:
    return (b"%d %b\n" % (facts.campaign_id, encode_campaign(facts)) for facts in campaigns)


def _number_lines(numbers: Iterable[tuple[str, str | bytes]]) -> Iterator[bytes]:
    for e164, stored in numbers:
        yield b"%b %b\n" % (e164.encode(), stored if isinstance(stored, bytes) else stored.encode())


def _blocked_lines(blocked: Iterable[BlockedPattern]) -> Iterator[bytes]:
    return (b"%b %b\n" % (facts.pattern.text.encode(), encode_blocked(facts)) for facts in blocked)


def _write_table(out: _Digested, lines: Iterator[bytes], directory: Path) -> Table:
    table = Table(count=0, firsts=[], places=[out.length], checksums=[])
    block: list[bytes] = []
    size = 0
    for line in _newest(_in_order(lines, directory)):
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            _write_block(out, table, block)
            block, size = [], 0
    if block:
        _write_block(out, table, block)
    return table


def _write_block(out: _Digested, table: Table, lines: list[bytes]) -> None:
    block = b"".join(lines)
    out.write(block)
    table.count += len(lines)
    table.firsts.append(_key(block).decode())
    table.places.append(out.length)
    table.checksums.append(zlib.crc32(block))


def _in_order(lines: Iterator[bytes], directory: Path) -> Iterator[bytes]:
    """Sort by merging sorted runs, all but the last of which lie in nameless files."""
    with ExitStack() as stack:
        files: list[Iterable[bytes]] = []
        while len(run := sorted(islice(lines, _RUN))) == _RUN:
            file = stack.enter_context(TemporaryFile(dir=directory))
            file.writelines(run)
            file.seek(0)
            files.append(file)
        yield from merge(*files, run)


def _newest(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Of lines with the same key, which stand together, the one with the highest revision."""
    newest, newest_key = b"", b""
    for line in lines:
        key = _key(line)
        if key != newest_key:
            if newest:
                yield newest
            newest, newest_key = line, key
        elif _revision(line) > _revision(newest):
            newest = line
    if newest:
        yield newest


def _key(line: bytes) -> bytes:
    return line.partition(b" ")[0]


def _revision(line: bytes) -> int:
    return int(line.split(b" ", 2)[1])

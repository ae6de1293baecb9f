"""Answer from the snapshot: which route has a number, and how old is that knowledge."""

import os
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog

from routing.arrival import FactsUnavailable
from routing.block_encoding import decode_blocks, without_revision
from routing.blocks import Block
from routing.encoding import decode_campaign, decode_number
from routing.numbers import PhoneNumber
from routing.route import Route
from routing.snapshot.layout import DIGEST_LENGTH, END_LENGTH, FORMAT, Contents, Table

log = structlog.get_logger()

_LOOK_EVERY = 1.0
"""Seconds between two looks for a newer file."""
_CHUNK = 1024 * 1024

_read_contents = msgspec.json.Decoder(Contents).decode


class Snapshot:
    """The snapshot at `path`, opened at the first question; for any number of threads.

    A file that was replaced is noticed within a second. Where the new one is missing or broken, the
    old one goes on answering: it is as right as its age. `FactsUnavailable` is raised where there
    is none that can be read.

    Read by offset, not mapped into memory: a mapped page counts as memory of every process that
    touched it, and touching one of a file that was cut short kills the process.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looking = threading.Lock()
        self._next_look = float("-inf")
        self._opened: _Opened | None = None
        self._seen: _Identity | None = None

    def route_of(self, number: PhoneNumber, patterns: tuple[str, ...] = ()) -> Route | None:
        """The route of `number`; None: it is not in the snapshot, a fact only as of its age.

        `patterns` are those that a caller fits (`blocks.patterns_of`); without them nobody is blocked.
        """
        return self._current().route_of(number, patterns)

    @property
    def taken_at(self) -> datetime:
        """When the facts were read from the database: aware UTC."""
        return self._current().taken_at

    def age(self, now: datetime) -> timedelta:
        return now - self.taken_at

    def close(self) -> None:
        """Let go of the file; another question opens it again."""
        with self._looking:
            self._opened = self._seen = None
            self._next_look = float("-inf")

    def _current(self) -> "_Opened":
        if self._clock() >= self._next_look:
            self._look()
        if (opened := self._opened) is None:
            raise FactsUnavailable("there is no snapshot of the routes that can be read")
        return opened

    def _look(self) -> None:
        # While one thread verifies a new file, the others go on with the old one, if there is one.
        if not self._looking.acquire(blocking=self._opened is None):
            return
        try:
            if self._clock() >= self._next_look:
                self._open_what_is_new()
                self._next_look = self._clock() + _LOOK_EVERY
        finally:
            self._looking.release()

    def _open_what_is_new(self) -> None:
        try:
            if _identity(self._path.stat()) == self._seen:
                return
            file = _File(self._path)
        except OSError:
            return
        # A broken file is remembered too, so that it is not verified again every second.
        self._seen = file.identity
        try:
            self._opened = _Opened(file)
        except OSError as error:
            self._seen = None
            self._warn(error)
        except (ValueError, OverflowError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        log.warning("snapshot.unreadable", error=str(error), in_use=self._opened is not None)


_Identity = tuple[int, int, int, int]


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _File:
    """An open file, read by offset; closed once no thread reads it any more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self.identity = _identity(os.fstat(self._descriptor))
        self.size = self.identity[2]

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self._descriptor, end - start, start)


class _Opened:
    """One file whose digest was found right. Raises `ValueError` and `OSError` where it was not."""

    def __init__(self, file: _File) -> None:
        contents = _verified(file)
        self._file = file
        self._campaigns = contents.campaigns
        self._numbers = contents.numbers
        self._blocked = contents.blocked
        self.taken_at = contents.taken_at.astimezone(UTC)

    def route_of(self, number: PhoneNumber, patterns: tuple[str, ...]) -> Route | None:
        try:
            route = self._route_of(number)
            return None if route is None else route.facing(self._blocks(patterns))
        except (OSError, ValueError) as error:
            raise FactsUnavailable("the snapshot's facts cannot be read") from error

    def _route_of(self, number: PhoneNumber) -> Route | None:
        stored = self._find(self._numbers, number.e164)
        if stored is None:
            return None
        facts = decode_number(number, stored)
        if facts.campaign_id is None:
            return Route(facts)
        campaign = self._find(self._campaigns, str(facts.campaign_id))
        if campaign is None:
            raise FactsUnavailable("the snapshot lacks a campaign")
        return Route(facts, decode_campaign(campaign))

    def _blocks(self, patterns: tuple[str, ...]) -> Iterator[Block]:
        if self._blocked is None:
            return
        for pattern in patterns:
            stored = self._find(self._blocked, pattern)
            if stored is not None:
                yield from decode_blocks(without_revision(stored))

    def _find(self, table: Table, key: str) -> bytes | None:
        number = table.block_of(key)
        if number is None:
            return None
        block = self._file.read(table.places[number], table.places[number + 1])
        if zlib.crc32(block) != table.checksums[number]:
            raise FactsUnavailable("the snapshot was changed or cut short")
        block = b"\n" + block
        start = block.find(b"\n%b " % key.encode())
        if start < 0:
            return None
        return block[start + len(key) + 2 : block.index(b"\n", start + 1)]


def _verified(file: _File) -> Contents:
    """The contents of a whole file of our format; raise `ValueError`."""
    if file.read(0, len(FORMAT)) != FORMAT:
        raise ValueError("unknown format")
    end = file.size - END_LENGTH
    if end < len(FORMAT):
        raise ValueError("cut short")
    digest_at = file.size - DIGEST_LENGTH
    digest = sha256()
    for start in range(0, digest_at, _CHUNK):
        digest.update(file.read(start, min(start + _CHUNK, digest_at)))
    if file.read(digest_at, file.size) != digest.hexdigest().encode() + b"\n":
        raise ValueError("wrong digest")
    return _read_contents(file.read(int(file.read(end, digest_at)), end))

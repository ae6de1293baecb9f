"""Hand what was spooled to the log, once; run by a worker.

How far each file was replayed is remembered, durably, after the log has taken a batch: a kill in
between repeats that batch and nothing more, and the log knows a call that it has.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from routing.durable import MODE, replacing, sync_directory
from routing.spool.record import Damaged, record_in
from routing.spool.writer import SUFFIX

log = structlog.get_logger()

_PROGRESS = "replayed.json"
_LOCK = "replay.lock"
_ASIDE = ".corrupt"

_read_progress = msgspec.json.Decoder(dict[str, int]).decode


@dataclass(frozen=True, slots=True)
class Held:
    """What a spool holds: files, their bytes that no replay has handed over, lines set aside."""

    files: int
    bytes: int
    corrupt: int


def replay(directory: Path, write: Callable[[Sequence[bytes]], None], batch: int = 500) -> int:
    """Hand all whole records to `write`, at most `batch` at once, and return how many it took.

    Files of dead writers are deleted when nothing of them is left. Lines that are no record are kept
    in `*.corrupt`. Returns 0 where another process is replaying. Raises `OSError`, and what `write`
    raises: its batch then comes again.
    """
    if not directory.is_dir():
        return 0
    with _alone(directory) as alone:
        if not alone:
            return 0
        progress = _Progress(directory)
        total = 0
        for path in _files(directory):
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:  # its writer deleted it: the disk refused the first record
                continue
            with os.fdopen(descriptor, "rb") as file:
                total += _replay_file(path, file, progress, write, batch)
        return total


def held(directory: Path) -> Held:
    """Count what waits, without disturbing anybody."""
    offsets = _Progress(directory).offsets
    files = waiting = 0
    for path in _files(directory):
        with suppress(FileNotFoundError):  # deleted meanwhile
            waiting += max(0, path.stat().st_size - offsets.get(path.name, 0))
            files += 1
    return Held(
        files=files,
        bytes=waiting,
        corrupt=sum(_lines_aside(path) for path in directory.glob("*" + _ASIDE)),
    )


class _Progress:
    """Up to which byte each file was replayed; unreadable, it is forgotten and all comes again."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _PROGRESS
        try:
            known = _read_progress(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            known = {}
        self.offsets = {path.name: known[path.name] for path in _files(directory) if path.name in known}

    def remember(self, name: str, offset: int) -> None:
        self.offsets[name] = offset
        with replacing(self._path) as file:
            file.write(msgspec.json.encode(self.offsets))

    def forget(self, name: str) -> None:
        # Not worth a write of its own: no other file will ever have this name.
        self.offsets.pop(name, None)


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*" + SUFFIX))


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, MODE)
    try:
        yield _locked(lock)
    finally:
        os.close(lock)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replay_file(
    path: Path, file: BinaryIO, progress: _Progress, write: Callable[[Sequence[bytes]], None], batch: int
) -> int:
    # Asked before reading: what a dead writer left is final, and so is its last, torn line.
    abandoned = _locked(file.fileno())
    start = progress.offsets.get(path.name, 0)
    lines = _lines(file, start if start <= os.fstat(file.fileno()).st_size else 0, torn_too=abandoned)
    total = 0
    while some := list(islice(lines, batch)):
        records = _records(path, some)
        if records:
            write(records)
        total += len(records)
        last_start, last = some[-1]
        progress.remember(path.name, last_start + len(last))
    if abandoned:
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        progress.forget(path.name)
    return total


def _lines(file: BinaryIO, start: int, *, torn_too: bool) -> Iterator[tuple[int, bytes]]:
    """Each line with its place. The last one is torn, or being written, where no line break ends it."""
    file.seek(start)
    for line in file:
        if line.endswith(b"\n") or torn_too:
            yield start, line
        start += len(line)


def _records(path: Path, lines: list[tuple[int, bytes]]) -> list[bytes]:
    records = []
    damaged = []
    for start, line in lines:
        try:
            records.append(record_in(line))
        except Damaged:
            damaged.append(b"%d %b\n" % (start, line.removesuffix(b"\n")))
    if damaged:
        _keep(path.with_name(path.name + _ASIDE), damaged)
        log.error("spool.damaged", file=path.name, lines=len(damaged))
    return records


def _keep(path: Path, lines: list[bytes]) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, MODE)
    with os.fdopen(descriptor, "ab") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)


def _lines_aside(path: Path) -> int:
    """Lines kept in one file; after a kill the same one may stand there twice."""
    with path.open("rb") as file:
        return len({line.partition(b" ")[0] for line in file})

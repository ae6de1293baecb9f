"""Append to the spool: on disk before the caller goes on."""

import errno
import fcntl
import os
import re
import socket
import threading
import time
import weakref
from pathlib import Path

from routing.durable import MODE, private_folder, sync_directory
from routing.spool.record import line_of

LIMIT = 256 * 1024 * 1024
"""Bytes that all files of a spool may take: some 400,000 calls."""
SUFFIX = ".spool"
"""How the files of writers end; what else lies in the directory belongs to the replay."""
_FILES_IN_LIMIT = 32
"""A process begins a new file after this part of the limit, so that those replayed can be deleted."""


class SpoolFull(OSError):
    """The spool has reached its limit, as a disk does."""


class Spool:
    """Appends to a file of its own in `directory`; for any number of threads.

    The file is locked as long as its writer lives, which is how a replay tells that it may delete it.
    """

    def __init__(self, directory: Path, limit: int = LIMIT) -> None:
        self._directory = directory
        self._limit = limit
        self._lock = threading.Lock()
        self._file: _File | None = None

    def append(self, record: bytes) -> None:
        """Keep `record`; once this returns, it survives a kill and a power cut.

        Raises `SpoolFull`, or another `OSError` where the disk refuses; the record may then turn up
        in a replay all the same.
        """
        line = line_of(record)
        with self._lock:
            file = self._file_for(line)
            try:
                end = file.append(line)
            except OSError:
                # A torn line must stay the last of its file.
                self._file = None
                file.delete_if_empty()
                raise
        try:
            file.sync(end)
        except OSError:
            # After a failed sync the kernel may call the same bytes written without having done so.
            with self._lock:
                if self._file is file:
                    self._file = None
            raise

    def close(self) -> None:
        """Give the file up for deletion; another record begins a new one."""
        with self._lock:
            self._file = None

    def _file_for(self, line: bytes) -> "_File":
        if _size(self._directory) + len(line) > self._limit:
            raise SpoolFull(errno.ENOSPC, f"the spool has reached its limit of {self._limit} bytes")
        if self._file is None or self._file.is_done(self._limit // _FILES_IN_LIMIT):
            self._file = _File(self._directory)
        return self._file


class _File:
    """One file of one writer; closed, and with that unlocked, once no thread writes it any more."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            private_folder(directory)
            sync_directory(directory.parent)
        directory.chmod(0o700)
        self.path, self._descriptor = _create(directory)
        weakref.finalize(self, os.close, self._descriptor)
        sync_directory(directory)
        self._syncing = threading.Lock()
        self._written = 0
        self._synced = 0
        self._unsure = False

    def is_done(self, size: int) -> bool:
        """Whether this file is as long as it may be, or was deleted by somebody."""
        return self._written >= size or os.fstat(self._descriptor).st_nlink == 0

    def append(self, line: bytes) -> int:
        """Write a line and return where it ends; one thread at a time."""
        written = os.write(self._descriptor, line)
        if written < len(line):
            raise OSError(errno.ENOSPC, "the disk took a part of a record")
        self._written += written
        return self._written

    def sync(self, end: int) -> None:
        """Wait until the file is on disk up to `end`; threads that wait together share one sync."""
        with self._syncing:
            if self._synced >= end:
                return
            if self._unsure:
                raise OSError(errno.EIO, "the disk lost what was written")
            written = self._written
            try:
                os.fsync(self._descriptor)
            except OSError:
                self._unsure = True
                raise
            self._synced = written

    def delete_if_empty(self) -> None:
        """Leave no litter while a disk is full."""
        if not self._written:
            self.path.unlink(missing_ok=True)


def _create(directory: Path) -> tuple[Path, int]:
    """A new locked file, named so that older files come first."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())
    while True:
        path = directory / f"{time.time_ns():020d}-{host}-{os.getpid()}{SUFFIX}"
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, MODE)
        except FileExistsError:
            continue
        # A replay may find the file before it is locked: it then deletes it, or is about to.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)


def _size(directory: Path) -> int:
    total = 0
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX):
                    try:
                        total += entry.stat().st_size
                    except FileNotFoundError:  # a replay deleted it meanwhile
                        continue
    except FileNotFoundError:
        return 0
    return total

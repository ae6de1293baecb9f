"""Write a file so that readers, kills and power cuts meet either the old one or the whole new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

MODE = 0o600
"""What we keep on disk holds phone numbers."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path`, which takes its place, durably, when the block ends without an error.

    Callers see to it that nobody else replaces the same file meanwhile; what a killed one left
    beside it is removed. Raises `OSError`.
    """
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def private_folder(path: Path) -> None:
    """Make a folder and what is missing above it, closed to others; raises `OSError`.

    `Path.mkdir` would give its mode to the last one only.
    """
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Make names that were given or taken in `directory` last."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

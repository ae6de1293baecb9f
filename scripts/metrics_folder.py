"""The folder in which the processes of a web server add up what they count: one each, swept after it."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from routing.durable import private_folder

_PREFIX = "hookswitch-"


def own_folder(base: Path) -> Path:
    """Make a folder below `base` for the server that this process becomes; raise `OSError`.

    It is locked as long as one of the server's processes lives: they inherit the open folder. Those
    of servers that are gone are removed.
    """
    private_folder(base)
    with _alone(base):
        for left_over in base.glob(_PREFIX + "*"):
            _sweep(left_over)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        opened = os.open(folder, os.O_RDONLY)
        fcntl.flock(opened, fcntl.LOCK_SH)
        os.set_inheritable(opened, True)
        return folder


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    opened = os.open(base, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _sweep(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # its server lives
    finally:
        os.close(opened)

"""Directories and processes that go when the test run goes, however it goes."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

_PREFIX = "hookswitch-test-"
_MEMORY = Path("/dev/shm")
_DISK = Path(tempfile.gettempdir())
_ROOM = 2**30

# Runs between us and the server: a hook inside a fork of this process would be unsafe beside threads.
# The order matters: Linux forgets the death signal when the user changes.
_BECOME_THE_SERVER = """
import ctypes, os, sys
uid, gid, death_signal, parent = map(int, sys.argv[1:5])
if uid != os.geteuid():
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, death_signal)
if os.getppid() != parent:
    sys.exit("the test run ended")
os.execv(sys.argv[5], sys.argv[5:])
"""


class Directory:
    """A fresh directory for one server, with a short path because sockets live in it.

    In memory where there is room: making a database there takes a twentieth of the time, and a test
    does not care what a power cut would leave. `executable` asks for one that may hold programs.
    A run that is killed cannot remove its directories; the next run does. The lock tells whether
    the owner still lives, for the system drops it with the process.
    """

    def __init__(self, *, executable: bool = False) -> None:
        _sweep()
        parent = _DISK if executable or not _has_room(_MEMORY) else _MEMORY
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        unnamed = self.path / "lock.new"
        self._lock = unnamed.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Under its final name the lock is always held, so that nobody sweeps a directory just made.
        unnamed.rename(self.path / "lock")

    def give_to(self, user: pwd.struct_passwd) -> None:
        os.chown(self.path, user.pw_uid, user.pw_gid)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _has_room(parent: Path) -> bool:
    try:
        free = shutil.disk_usage(parent).free
    except OSError:
        return False
    return free > _ROOM and os.access(parent, os.W_OK)


def _sweep() -> None:
    for lock in (lock for parent in (_MEMORY, _DISK) for lock in parent.glob(f"{_PREFIX}*/lock")):
        try:
            with lock.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # its run is alive, or belongs to somebody else


def start(
    command: list[str], log: Path, *, death_signal: signal.Signals, user: pwd.struct_passwd | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that gets `death_signal` when this process ends (Linux) and writes to `log`."""
    uid, gid = (os.geteuid(), os.getegid()) if user is None else (user.pw_uid, user.pw_gid)
    shim = [sys.executable, "-I", "-S", "-c", _BECOME_THE_SERVER]
    identity = [str(uid), str(gid), str(int(death_signal)), str(os.getpid())]
    with log.open("ab") as out:
        return subprocess.Popen(
            [*shim, *identity, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            # Ctrl-C is for the test run, which then stops its servers in order.
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], asking: signal.Signals) -> None:
    """Ask the server to stop; kill it when it does not within 10 s."""
    process.send_signal(signal.SIGCONT)
    process.send_signal(asking)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

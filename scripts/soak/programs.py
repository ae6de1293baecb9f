"""The programs that are tested: web processes and workers, started, killed and started again."""

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click

from scripts.bench.processes import children_of
from scripts.children import Child
from scripts.serve import gunicorn_command
from scripts.settings import Settings

_PATIENCE = 60.0
_GRACE = 40.0
_POLL = 0.05
_WORKERS = 2


class Web:
    """gunicorn as `hookswitch serve` sets it up, on a socket that somebody else holds open."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str], settings: Settings, listener: socket.socket
    ) -> None:
        self._directory = directory
        self._environ = environ
        self._settings = settings
        self._listener = listener
        self._started = 0
        self._running = self._start()

    @property
    def pids(self) -> list[int]:
        """The processes that answer, the oldest first."""
        return children_of(self._running.pid)

    def kill_one(self) -> None:
        """Kill the youngest process, so that the others get old; gunicorn starts another."""
        os.kill(self.pids[-1], signal.SIGKILL)

    def restart(self) -> None:
        """Start new ones, then let the old ones end what they have in hand: a rolling restart."""
        old, self._running = self._running, self._start()
        old.stop(_GRACE)

    def check(self) -> None:
        if self._running.has_ended():
            raise click.ClickException(f"the web server ended by itself ({self._running.ending()})")

    def stop(self) -> None:
        self._running.stop(_GRACE)

    def _start(self) -> Child:
        self._started += 1
        door = self._directory / f"web-{self._started}.sock"
        log = self._directory / f"web-{self._started}.log"
        # By a door of its own each server can be asked whether it is ready.
        with socket.socket(socket.AF_UNIX) as own:
            own.bind(str(door))
            own.listen()
            held = [self._listener.fileno(), own.fileno()]
            *words, application = gunicorn_command(self._settings, f"fd://{held[0]}")
            words += ["--bind", f"fd://{held[1]}", application]
            child = Child(
                "gunicorn", words, environ=self._environ, directory=self._directory, log=log, held=held
            )
        deadline = time.monotonic() + _PATIENCE
        while len(children_of(child.pid)) < self._settings.web_concurrency or not _answers(door):
            if child.has_ended() or time.monotonic() > deadline:
                child.stop(0)
                raise click.ClickException(f"the web server does not start: {_last_line(log)}")
            time.sleep(_POLL)
        return child


class Workers:
    """Two workers; one that is killed is replaced at the next `tend`."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._directory = directory
        self._environ = environ
        self._started = 0
        self._expected: set[int] = set()
        self._running = [self._start() for _ in range(_WORKERS)]

    @property
    def pids(self) -> list[int]:
        """The oldest first."""
        return [child.pid for child in self._running]

    def kill_one(self) -> None:
        """Kill the youngest, so that the other gets old."""
        victim = self._running[-1]
        self._expected.add(victim.pid)
        os.kill(victim.pid, signal.SIGKILL)

    def tend(self) -> None:
        for child in [child for child in self._running if child.has_ended()]:
            if child.pid not in self._expected:
                raise click.ClickException(f"a worker ended by itself ({child.ending()})")
            self._running.remove(child)
            child.stop(0)
            self._running.append(self._start())

    def stop(self) -> None:
        for child in self._running:
            child.stop(_GRACE)

    def _start(self) -> Child:
        self._started += 1
        words = [sys.executable, "-m", "scripts.worker"]
        log = self._directory / f"worker-{self._started}.log"
        return Child("worker", words, environ=self._environ, directory=self._directory, log=log)


class _ByPath(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _answers(door: Path) -> bool:
    connection = _ByPath(door)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    return log.read_text(errors="replace").strip().rpartition("\n")[2] or "it said nothing"

"""Web servers to measure: gunicorn as `hookswitch serve` sets it up, with one worker, on one core."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from scripts.bench.installation import Installation
from scripts.bench.processes import children_of, pinned_to
from scripts.children import Child
from scripts.serve import gunicorn_command

_PATIENCE = 30.0
_GRACE = 10.0
_POLL = 0.05
_LOG_LINES = 3


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn with its worker processes."""

    port: int
    workers: list[int]
    log: Path

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-_LOG_LINES:]) or "nothing"


@contextmanager
def serving(application: str, installation: Installation, core: set[int]) -> Iterator[Server]:
    """Serve `module:factory()` on a loopback port and `core`, until the block ends."""
    log = installation.directory / f"{application.partition(':')[0]}-{time.monotonic_ns()}.log"
    # Handed over as it is: a port that is only chosen could be taken by somebody else.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port: int = listener.getsockname()[1]
        held = listener.fileno()
        # The application is the last word of the command.
        words = [*gunicorn_command(installation.settings, f"fd://{held}")[:-1], application]
        with pinned_to(core):
            child = Child(
                "gunicorn",
                words,
                environ=installation.environ,
                directory=installation.directory,
                log=log,
                held=[held],
            )
    try:
        if not _answers(port, child):
            said = Server(port, [], log).last_words()
            raise click.ClickException(f"gunicorn does not serve {application}; it said: {said}")
        yield Server(port, children_of(child.pid), log)
    finally:
        child.stop(_GRACE)


def _answers(port: int, child: Child) -> bool:
    """Wait until a worker answers anything."""
    deadline = time.monotonic() + _PATIENCE
    while not child.has_ended() and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(_POLL)
        else:
            return True
        finally:
            connection.close()
    return False

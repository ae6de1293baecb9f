"""Web servers to measure: gunicorn as `hookswitch serve` sets it up, with one worker, on one core."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from scripts.bench.installation import Installation
from scripts.bench.processes import children_of, pinned_to
from scripts.children import Child
from scripts.serve import gunicorn_command

_PATIENCE = 30.0
_GRACE = 10.0
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn with its worker processes."""

    port: int
    workers: list[int]


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
        _wait(port, child)
        yield Server(port, children_of(child.pid))
    except click.ClickException as error:
        last = " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
        raise click.ClickException(f"{error.message}; it said: {last or 'nothing'}") from error
    finally:
        child.stop(_GRACE)


def _wait(port: int, child: Child) -> None:
    """Wait until a worker answers anything."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            if child.has_ended() or time.monotonic() > deadline:
                raise click.ClickException("gunicorn does not answer") from error
            time.sleep(_POLL)
        else:
            return

"""`hookswitch up`: run everything on this machine, in the foreground, until stopped."""

import fcntl
import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from scripts import demo, demo_calls, embedded
from scripts import settings as settings_of
from scripts.children import Child
from scripts.cli import FAILED, run
from scripts.embedded_address import embedded_url
from scripts.local_secrets import make_up_missing
from scripts.migrate import NotMigrated, bring_up_to_date
from scripts.serve import host_of
from scripts.settings import Settings

_UNTIL_READY = 60.0
_POLL = 0.1
_GRACE = 30.0
"""Seconds to end in; longer than gunicorn's own grace for calls in hand."""
_WEB_PROCESSES = 2
"""Enough to try it out; WEB_CONCURRENCY says otherwise."""


class PartFailed(Exception):
    """A part does not run; the message names it and says why, in one line."""


@dataclass(slots=True)
class _Signals:
    """What the terminal or a supervisor wants: `stopping` at the first signal, `hurry` at the second."""

    stopping: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, *_: object) -> None:
        (self.hurry if self.stopping.is_set() else self.stopping).set()


@click.command(name="up")
def command() -> int:
    """Start all parts on this machine: Redis where REDIS_URL names none, the web server, the worker.

    Settings come from the environment and `.env`; what is missing for local use is made up. Data and
    made-up secrets are kept in `var/`. Ctrl-C stops everything, a second Ctrl-C at once.

    Example: PORT=8080 hookswitch up
    """
    directory = Path.cwd()
    signals = _Signals()
    with _this_folder_to_itself(directory / "var") as var:
        environ = _environment(directory, var)
        settings = settings_of.load(environ, directory)
        _check_port(settings)
        signals.listen()
        try:
            with ExitStack() as parts:
                parts.enter_context(_announced(var, settings))
                _run(settings, environ, parts, signals)
        except (PartFailed, NotMigrated, embedded.StoreFailed) as failure:
            if not signals.stopping.is_set():
                click.echo(f"hookswitch: {failure}; everything is stopped", err=True)
                return FAILED
    click.echo("Stopped.")
    return 0


@contextmanager
def _this_folder_to_itself(var: Path) -> Iterator[Path]:
    try:
        var.mkdir(mode=0o700, exist_ok=True)
        var.chmod(0o700)
        lock = os.open(var / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise click.ClickException(f"{var} cannot be written ({error.strerror})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield var
    except BlockingIOError as error:
        raise click.ClickException(f"`hookswitch up` is running already in {var.parent}") from error
    finally:
        os.close(lock)


@contextmanager
def _announced(var: Path, settings: Settings) -> Iterator[None]:
    """Tell commands in other terminals where we listen."""
    announcement = var / settings_of.RUNNING
    announcement.write_text(f"PORT={settings.port}\n", encoding="utf-8")
    try:
        yield
    finally:
        announcement.unlink(missing_ok=True)


def _environment(directory: Path, var: Path) -> dict[str, str]:
    """Complete the settings: secrets for local use, the embedded Redis, a modest number of processes."""
    environ = settings_of.environment(directory)
    if settings_of.is_loopback(environ.get("PUBLIC_BASE_URL") or "http://127.0.0.1"):
        make_up_missing(environ, var)
        environ = settings_of.environment(directory)
    if not environ.get("REDIS_URL") and not environ.get("REDIS_URL_FILE"):
        environ["REDIS_URL"] = embedded_url(var)
    # Ctrl-C is for now; no balancer has to hear of it first.
    environ["DRAIN_SECONDS"] = "0"
    if not environ.get("WEB_CONCURRENCY"):
        environ["WEB_CONCURRENCY"] = str(min(_WEB_PROCESSES, os.cpu_count() or 1))
    return environ


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host_of(settings), settings.port))
        except OSError as error:
            raise click.ClickException(
                f"port {settings.port} cannot be used ({error.strerror}); set PORT to a free one"
            ) from error


def _run(settings: Settings, environ: dict[str, str], parts: ExitStack, signals: _Signals) -> None:
    """Start part after part, wait until one dies or a signal comes; `parts` stops them in reverse."""
    watched: list[Child] = []
    if settings.redis_url == embedded_url(settings.var):
        store = embedded.start(settings.var, signals.stopping)
        parts.callback(store.stop, _GRACE, signals.hurry)
        watched.append(store.child)
    has_demo = _prepare(settings)
    if signals.stopping.is_set():
        return
    for name, module in (("the worker", "scripts.worker"), ("the web server", "scripts.serve")):
        part = Child(name, [sys.executable, "-m", module], environ=environ)
        parts.callback(part.stop, _GRACE, signals.hurry)
        watched.append(part)
    _wait_until_ready(settings, watched, signals)
    if not signals.stopping.is_set():
        click.echo(_welcome(settings, has_demo=has_demo, password=_first_password(settings)))
    while not signals.stopping.wait(_POLL):
        _check(watched)


def _prepare(settings: Settings) -> bool:
    """Bring the database to the current schema; return whether it holds the demo."""
    database = Database(settings.database_url, patient=True)
    try:
        bring_up_to_date(settings)
        if settings.is_local:
            now = datetime.now(UTC)
            if demo.load(database, now):
                demo_calls.load(database, now)
        return demo.is_loaded(database)
    except SQLAlchemyError as error:
        raise PartFailed(
            f"the database does not answer ({type(error).__name__}); check DATABASE_URL"
        ) from error
    finally:
        database.dispose()


def _first_password(settings: Settings) -> str | None:
    """Let the demo's admin in, as late as possible: whoever starts us sees the password this once."""
    if not settings.is_local:
        return None
    database = Database(settings.database_url, patient=True)
    try:
        return demo.open_to_admin(database)
    finally:
        database.dispose()


def _check(watched: list[Child]) -> None:
    for part in watched:
        if part.has_ended():
            raise PartFailed(f"{part.name} died ({part.ending()})")


def _wait_until_ready(settings: Settings, watched: list[Child], signals: _Signals) -> None:
    deadline = time.monotonic() + _UNTIL_READY
    while not signals.stopping.is_set():
        answer = _readiness(settings.port)
        if answer == "200":
            return
        _check(watched)
        if time.monotonic() > deadline:
            raise PartFailed(f"the web server is not ready after {_UNTIL_READY:.0f} s ({answer})")
        signals.stopping.wait(_POLL)


def _readiness(port: int) -> str:
    """The HTTP status of /readyz, or why there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def _welcome(settings: Settings, *, has_demo: bool, password: str | None) -> str:
    base = settings.public_base_url
    lines = [
        "",
        f"Hookswitch answers calls at {base}/webhooks/twilio/voice",
        f"  ready?      {base}/readyz",
        f"  its page    {base}/",
        f"  its API     {base}/api/docs",
        f"  data in     {settings.var}",
    ]
    if settings.metrics_address is not None:
        lines.append(f"  metrics at  {settings.metrics_address}")
    program = _console_command()
    if password is not None:
        lines += ["", f"Sign in as {demo.ADMIN} with the one-time password {password}"]
        lines += [
            "  It is shown this once, and another one must be chosen at the first sign-in; a program needs"
        ]
        lines += [f"  {program} token create --email {demo.ADMIN}"]
    if has_demo:
        lines += ["", "Ring a number of the demo from another terminal:"]
        lines += [f"  {program} call {sample.number.e164}   # {sample.meaning}" for sample in demo.SAMPLES]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])


def _console_command() -> str:
    """How to call us from this folder in another terminal."""
    console = Path(sys.executable).with_name("hookswitch")
    if not console.exists():
        return "hookswitch"
    return str(console.relative_to(Path.cwd()) if console.is_relative_to(Path.cwd()) else console)


if __name__ == "__main__":
    sys.exit(run(command))

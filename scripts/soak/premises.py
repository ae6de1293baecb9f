"""Our own servers: stores with a fault proxy before each, web processes, workers; and how to break them."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from models import migrate
from models.database import Database
from routing.index.layout import Layout
from scripts import embedded
from scripts import settings as settings_of
from scripts.bench.installation import ending_in_order, environment
from scripts.bench.postgres import fresh_database, own_server
from scripts.bench.processes import children_of
from scripts.soak.fault_proxy import Address, FaultProxy
from scripts.soak.programs import Web, Workers
from scripts.soak.truth import Store
from scripts.stores import BACKGROUND_TIMEOUT, open_redis

_GRACE = 30.0
_POSTGRES_PORT = 5432


class Premises:
    """Everything that runs; programs reach the stores by `lines`, what checks them reaches them directly."""

    def __init__(self, directory: Path, sql_url: str, sql_at: Address, sql_pid: int | None) -> None:
        self.directory = directory
        self._open = ExitStack()
        self._var = directory / "var"
        self._redis = self._started()
        self._open.callback(lambda: self._redis.stop(_GRACE))
        self._sql_pid = sql_pid
        self._stopped: list[int] = []
        self._open.callback(self.thaw)
        self.lines = {
            Store.REDIS: self._open.enter_context(FaultProxy(str(self._redis.socket))),
            Store.SQL: self._open.enter_context(FaultProxy(sql_at)),
        }
        self.database = Database(sql_url, patient=True)
        self._open.callback(self.database.dispose)
        self.redis = open_redis(self._redis.url, BACKGROUND_TIMEOUT)
        self._open.callback(self.redis.close)
        self.layout = Layout()
        self.environ = environment(self._sql_by_proxy(sql_url), self._redis_by_proxy(), directory)
        self.environ |= {"LOG_FORMAT": "json", "WEB_CONCURRENCY": "2"}
        self.settings = settings_of.load(self.environ, directory)

    @property
    def freezable(self) -> set[Store]:
        """The stores whose processes are ours to stop."""
        return {Store.REDIS} if self._sql_pid is None else set(Store)

    def open(self) -> None:
        """Start the programs, on a migrated database with an index."""
        # Held by us, as by a service manager or a balancer: callers who come in a restart wait for it.
        listener = self._open.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        self.port: int = listener.getsockname()[1]
        self.web = Web(self.directory, self.environ, self.settings, listener)
        self._open.callback(self.web.stop)
        self.workers = Workers(self.directory, self.environ)
        self._open.callback(self.workers.stop)

    def close(self) -> None:
        self._open.close()

    def freeze(self, store: Store) -> None:
        """Let a store keep port and connections and answer nothing."""
        for pid in self._processes_of(store):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self._stopped.append(pid)

    def thaw(self) -> None:
        while self._stopped:
            with suppress(ProcessLookupError):
                os.kill(self._stopped.pop(), signal.SIGCONT)

    def kill_redis(self) -> None:
        os.kill(self._redis.child.pid, signal.SIGKILL)
        self._redis.stop(grace=0)

    def start_redis(self) -> None:
        """Start it again, on what it had written down."""
        self._redis = self._started()
        self.redis.close()

    def _started(self) -> embedded.EmbeddedRedis:
        try:
            return embedded.start(self._var)
        except embedded.StoreFailed as error:
            raise click.ClickException(str(error)) from error

    def _processes_of(self, store: Store) -> list[int]:
        if store is Store.REDIS:
            return [self._redis.child.pid]
        # The parent first, so that it starts no process that would be missed.
        return [] if self._sql_pid is None else [self._sql_pid, *children_of(self._sql_pid)]

    def _redis_by_proxy(self) -> str:
        return f"redis://127.0.0.1:{self.lines[Store.REDIS].port}/0"

    def _sql_by_proxy(self, url: str) -> str:
        by_proxy = make_url(url).set(host="127.0.0.1", port=self.lines[Store.SQL].port, query={})
        return by_proxy.render_as_string(hide_password=False)


@contextmanager
def premises(server: str | None) -> Iterator[Premises]:
    """Premises in a temporary folder, on a PostgreSQL of their own or in a fresh database of `server`.

    `server` names host and port. Programs do not run yet.
    """
    with ExitStack() as stack:
        stack.enter_context(ending_in_order())
        # A short path: sockets live in it.
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hookswitch-soak-")))
        sql_pid = None
        sql_at: Address
        if server is None:
            own = stack.enter_context(own_server(directory))
            url, sql_at, sql_pid = own.url, str(own.socket), own.pid
        else:
            url = stack.enter_context(fresh_database(server, directory))
            named = make_url(url)
            sql_at = (named.host or "127.0.0.1", named.port or _POSTGRES_PORT)
        migrate.upgrade(url)
        opened = Premises(directory, url, sql_at, sql_pid)
        stack.callback(opened.close)
        yield opened

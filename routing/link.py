"""Run one server-side script quickly: a Redis connection kept by each thread.

The client's own way (pool, retry and callback layers) costs twice the processor time of the
connection it wraps; on the call path that is a tenth of the whole request. Everything else in the
project uses the client as it is.
"""

import functools
import hashlib
import os
import socket
import threading
import time
from typing import Any, Protocol, cast

import redis
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, ReadOnlyError

RedisClient = redis.Redis | RedisCluster


class _Connection(Protocol):
    """What we use of redis-py's `Connection`, which is published half-typed."""

    pid: int

    def send_command(self, *words: str | bytes | int) -> None: ...
    def read_response(self) -> Any: ...  # noqa: ANN401 - Redis replies are untyped
    def disconnect(self) -> None: ...


class ScriptLink:
    """Runs the script `source` with one round trip; raises `redis.RedisError`.

    Any failure closes the thread's connection: a reply that comes late must never be read as the
    answer to the next call.
    """

    def __init__(self, client: RedisClient, source: str) -> None:
        self._client = client
        self._source = source
        self._sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        self._mine = threading.local()

    def run(self, keys: tuple[str, ...], *arguments: str | bytes) -> Any:  # noqa: ANN401 - Redis replies are untyped
        try:
            return self._send("EVALSHA", self._sha, keys, arguments)
        except NoScriptError:  # a new or restarted server: hand the script over with the call
            return self._send("EVAL", self._source, keys, arguments)

    def _send(self, verb: str, script: str, keys: tuple[str, ...], arguments: tuple[str | bytes, ...]) -> Any:  # noqa: ANN401 - as above
        if isinstance(self._client, RedisCluster):
            run = self._client.evalsha if verb == "EVALSHA" else self._client.eval
            return run(script, len(keys), *keys, *arguments)
        connection = self._connection(self._client)
        try:
            connection.send_command(verb, script, len(keys), *keys, *arguments)
            return connection.read_response()
        except ReadOnlyError:  # this server was demoted: the next call must find the new one
            connection.disconnect()
            raise
        except redis.ResponseError:
            raise
        except BaseException:
            connection.disconnect()
            raise

    def _connection(self, client: redis.Redis) -> _Connection:
        connection: _Connection | None = getattr(self._mine, "connection", None)
        # A forked process must not read the replies of the one it was forked from.
        if connection is None or connection.pid != os.getpid():
            pool = client.connection_pool
            connection = cast("_Connection", _impatient(pool.connection_class)(**pool.connection_kwargs))
            self._mine.connection = connection
        return connection


class _Exchange:
    """A socket whose time-out covers an answer, not each read of it.

    A server that drips a byte every 0.2 s would otherwise hold a caller for as long as it likes.
    """

    def __init__(self, connected: socket.socket, limit: float | None) -> None:
        self._socket = connected
        self._limit = limit
        self._until = 0.0
        self._reading = False

    def sendall(self, data: bytes) -> None:
        self._reading = False
        self._socket.sendall(data)

    def recv_into(self, buffer: bytearray, *sizes: int) -> int:
        # Nearly every answer comes in one read, which the socket's own time-out covers.
        if self._limit is not None:
            if not self._reading:
                self._reading = True
                self._until = time.monotonic() + self._limit
            elif time.monotonic() > self._until:
                raise TimeoutError("the answer does not come to an end")
        return self._socket.recv_into(buffer, *sizes)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a socket has
        return getattr(self._socket, name)


@functools.cache
def _impatient(kind: type) -> type:
    """Derive a connection class whose sockets are `_Exchange`s; redis-py has no door of its own for it."""

    def _connect(self: Any) -> _Exchange:  # noqa: ANN401 - redis-py's connection
        return _Exchange(kind._connect(self), self.socket_timeout)  # type: ignore[attr-defined]  # noqa: SLF001

    return type(f"Impatient{kind.__name__}", (kind,), {"_connect": _connect})

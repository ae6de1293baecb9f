"""Run one server-side script quickly: a Redis connection kept by each thread.

redis-py opens the connection (address, TLS, sentinel, login, database); after that we speak over its
socket ourselves, with hiredis. The client's own way costs three times the processor time of the
round trip it wraps, and its time-out covers each read instead of the answer. Everything else in the
project uses the client as it is.
"""

import hashlib
import os
import socket
import struct
import threading
import time
import weakref
from typing import Any

import hiredis
import redis
from redis.cluster import RedisCluster
from redis.connection import ConnectionInterface
from redis.exceptions import NoScriptError, ReadOnlyError

RedisClient = redis.Redis | RedisCluster

_DEFAULT_LIMIT = 5.0
_READ_SIZE = 65_536
_INCOMPLETE = object()


class ScriptLink:
    """Runs the script `source` with one round trip; raises `redis.RedisError`.

    Any failure closes the thread's connection: a reply that comes late must never be read as the
    answer to the next call.
    """

    def __init__(self, client: RedisClient, source: str) -> None:
        self._client = client
        # Asked once: the question costs as much as encoding a call.
        self._is_cluster = isinstance(client, RedisCluster)
        self._source = source
        self._sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        self._mine = threading.local()

    def run(self, keys: tuple[str, ...], *arguments: str | bytes) -> Any:  # noqa: ANN401 - Redis replies are untyped
        try:
            return self._send("EVALSHA", self._sha, keys, arguments)
        except NoScriptError:  # a new or restarted server: hand the script over with the call
            return self._send("EVAL", self._source, keys, arguments)

    def _send(self, verb: str, script: str, keys: tuple[str, ...], arguments: tuple[str | bytes, ...]) -> Any:  # noqa: ANN401 - as above
        if self._is_cluster:
            run = self._client.evalsha if verb == "EVALSHA" else self._client.eval
            return run(script, len(keys), *keys, *arguments)
        line = self._line()
        try:
            return line.ask(verb, script, len(keys), *keys, *arguments)
        except ReadOnlyError:  # this server was demoted: the next call must find the new one
            self._hang_up()
            raise
        except redis.ResponseError:
            raise
        except BaseException:
            self._hang_up()
            raise

    def _line(self) -> "_Line":
        line: _Line | None = getattr(self._mine, "line", None)
        # A forked process must not read the replies of the one it was forked from.
        if line is None or line.pid != os.getpid():
            pool = self._client.connection_pool  # type: ignore[union-attr]  # a cluster has another way
            line = _Line(pool.connection_class(**pool.connection_kwargs))
            self._mine.line = line
        return line

    def _hang_up(self) -> None:
        self._mine.line.close()
        del self._mine.line


class _Line:
    """An open connection. `ask` raises `redis.RedisError`; after any but a reply's own it is of no use."""

    def __init__(self, connection: ConnectionInterface) -> None:
        connection.connect()  # type: ignore[no-untyped-call]
        self.pid = os.getpid()
        # A thread that ends drops its line: the socket is closed then, not when it happens to be collected.
        self._hang_up = weakref.finalize(self, connection.disconnect)
        self._hang_up.atexit = False
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE, replyError=_named)
        # redis-py has no public way to the socket of a connection.
        self._socket: socket.socket = connection._sock  # type: ignore[attr-defined]  # noqa: SLF001
        self._limit = self._socket.gettimeout() or _DEFAULT_LIMIT
        if type(self._socket) is socket.socket:  # TLS reads in its own way and keeps Python's time-out
            _let_the_kernel_keep_time(self._socket, self._limit)

    def ask(self, *words: str | bytes | int) -> Any:  # noqa: ANN401 - Redis replies are untyped
        """Send one command and return its answer, which has to be complete in time.

        A server that drips a byte every 0.2 s would otherwise hold a caller for as long as it likes.
        """
        reader = self._reader
        try:
            self._socket.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]  # typed for one word
            until = time.monotonic() + self._limit
            while True:
                data = self._socket.recv(_READ_SIZE)
                if not data:
                    raise redis.ConnectionError("the server hung up")
                reader.feed(data)
                answer = reader.gets()
                if answer is not _INCOMPLETE:
                    break
                if time.monotonic() > until:
                    raise redis.TimeoutError("the answer does not come to an end")
        except (BlockingIOError, TimeoutError):
            raise redis.TimeoutError("no answer in time") from None
        except OSError as error:
            raise redis.ConnectionError(type(error).__name__) from error
        except hiredis.ProtocolError as error:
            raise redis.InvalidResponse("not Redis' protocol") from error
        if isinstance(answer, redis.ResponseError):
            raise answer
        return answer

    def close(self) -> None:
        self._hang_up()


def _let_the_kernel_keep_time(connected: socket.socket, limit: float) -> None:
    """Halve the system calls of a round trip.

    With a time-out of its own, Python asks before each read and write whether the socket is ready.
    """
    seconds, fraction = divmod(limit, 1)
    patience = struct.pack("@ll", int(seconds), int(fraction * 1_000_000))
    connected.settimeout(None)
    for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connected.setsockopt(socket.SOL_SOCKET, direction, patience)


def _named(message: str) -> redis.ResponseError:
    """Name a reply that is an error; the script's callers tell three kinds apart."""
    if message.startswith("NOSCRIPT"):
        return NoScriptError(message)
    if message.startswith("READONLY"):
        return ReadOnlyError(message)
    return redis.ResponseError(message)

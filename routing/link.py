"""Run one server-side script quickly: a Redis connection kept by each thread.

The client's own way (pool, retry and callback layers) costs twice the processor time of the
connection it wraps; on the call path that is a tenth of the whole request. Everything else in the
project uses the client as it is.
"""

import hashlib
import os
import threading
from typing import Any, Protocol, cast

import redis
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, ReadOnlyError, RedisClusterException


class Cluster(RedisCluster):
    """A cluster client that raises `redis.ConnectionError` where no node answers.

    What redis-py raises there, `RedisClusterException`, is no `redis.RedisError`: whoever falls back
    on Redis' errors would not see it.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - as redis-py has it
        try:
            super().__init__(*arguments, **settings)
        except RedisClusterException as error:
            raise redis.ConnectionError("no node of the cluster answers") from error

    def execute_command(self, *words: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        try:
            return super().execute_command(*words, **options)  # type: ignore[no-untyped-call]
        except RedisClusterException as error:
            raise redis.ConnectionError("no node of the cluster answers") from error


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
            connection = cast("_Connection", client.connection_pool.make_connection())
            self._mine.connection = connection
        return connection

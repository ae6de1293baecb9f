"""A Redis Cluster of two nodes, each with half of the slots."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.backoff import NoBackoff
from redis.retry import Retry

from routing.cluster import Cluster
from tests.services.redis_server import RedisServer

_SLOTS = 16384
_PATIENCE = 20.0


@contextmanager
def two_nodes() -> Iterator[Cluster]:
    """A client of the cluster, which ends with the block."""
    settings = "--cluster-enabled", "yes", "--cluster-node-timeout", "1000"
    with RedisServer(*settings) as first, RedisServer(*settings) as second:
        for server, slots in ((first, (0, _SLOTS // 2 - 1)), (second, (_SLOTS // 2, _SLOTS - 1))):
            with server.client() as node:
                node.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
        with first.client() as node:
            node.execute_command("CLUSTER", "MEET", "127.0.0.1", second.port)
        for server in (first, second):
            _until_it_serves(server)
        client = Cluster(
            host="127.0.0.1",
            port=first.port,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        try:
            yield client
        finally:
            client.close()


def _until_it_serves(server: RedisServer) -> None:
    deadline = time.monotonic() + _PATIENCE
    with server.client() as node:
        while True:
            info = node.execute_command("CLUSTER INFO")
            if info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "2":
                return
            assert time.monotonic() < deadline, "the test cluster does not get ready"
            time.sleep(0.02)

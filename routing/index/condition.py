"""What is known of the index's condition: on which server it was built, when it was last compared.

A Redis server gives itself another `run_id` at each start (redis.io/docs/latest/commands/info). One
that is not the server on which the index was built may be behind: a replica that was promoted before
it had heard of all edits, a server restored from an old copy. Those edits have left the outbox, so
nobody would carry them again: the index is rebuilt, beside the one that goes on answering.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException

from routing.index.layout import Layout
from routing.link import RedisClient


@dataclass(frozen=True, slots=True)
class Compared:
    """The last whole comparison of the index with the truth, by any worker."""

    at: datetime
    damaged: bool
    damages: int
    """How many comparisons found damage since Redis was last emptied."""


class IndexCondition:
    """Notes beside the index, in Redis. Raises `redis.RedisError`."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._client: Any = client
        self._is_cluster = isinstance(client, RedisCluster)
        self._layout = layout

    def is_whole(self) -> bool:
        """Whether every partition names a generation, and not what somebody else left under our name."""
        return all(self._names_a_generation(self._layout.live(p)) for p in self._layout.all_partitions())

    def servers(self) -> dict[int, str]:
        """The `run_id` of the server that holds each partition; empty where we may not ask."""
        try:
            if not self._is_cluster:
                return dict.fromkeys(self._layout.all_partitions(), self._client.info("server")["run_id"])
            nodes = {
                partition: self._client.get_node_from_key(self._layout.live(partition))
                for partition in self._layout.all_partitions()
            }
            asked = {
                node.name: self._client.info("server", target_nodes=node)["run_id"]
                for node in {node.name: node for node in nodes.values()}.values()
            }
            return {partition: asked[node.name] for partition, node in nodes.items()}
        except (redis.ResponseError, KeyError):  # forbidden, or a server that does not say
            return {}
        except RedisClusterException as error:  # which is no `redis.RedisError`
            raise redis.ConnectionError("a part of the cluster has no server") from error

    def is_on_other_servers(self) -> bool:
        """Whether any partition lies on another server than the one on which it was built."""
        return any(
            self._client.get(self._layout.origin(partition)) != run_id.encode()
            for partition, run_id in self.servers().items()
        )

    def was_built_on(self, servers: Mapping[int, str]) -> None:
        """Note where the index was built: what `servers` said before the build began.

        Should a server have been replaced meanwhile, the build may have gaps and has to be made again.
        """
        for partition, run_id in servers.items():
            self._client.set(self._layout.origin(partition), run_id)

    def claim_comparison(self, seconds: int) -> bool:
        """Whether to compare now; one worker is told yes within so many seconds."""
        return bool(self._client.set(self._layout.comparing(), "1", nx=True, ex=seconds))

    def was_compared(self, at: datetime, *, damaged: bool) -> None:
        """Note that a comparison came to its end."""
        key = self._layout.compared()
        self._client.hset(key, mapping={"at": int(at.timestamp()), "damaged": int(damaged)})
        if damaged:
            self._client.hincrby(key, "damages", 1)

    def last_comparison(self) -> Compared | None:
        found = self._client.hgetall(self._layout.compared())
        try:
            at = datetime.fromtimestamp(int(found[b"at"]), UTC)
            return Compared(at, found[b"damaged"] == b"1", int(found.get(b"damages", 0)))
        except (KeyError, ValueError, OverflowError, OSError):
            return None

    def _names_a_generation(self, pointer: str) -> bool:
        if self._client.type(pointer) != b"string":
            return False
        generation = self._client.get(pointer)
        return generation is not None and generation.isdigit()

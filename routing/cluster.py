"""Redis Cluster, with the manners of a plain client."""

import threading
from typing import Any

import redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException


class Cluster(RedisCluster):
    """A cluster client that connects at its first use and raises `redis.ConnectionError` where it cannot.

    redis-py's own asks the nodes in its constructor, so that a process could not start while they
    are away, and then raises `RedisClusterException`, which is no `redis.RedisError`.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - as redis-py has it
        self._first_use = threading.RLock()
        self._given = arguments, settings

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever redis-py's constructor sets
        # Asked only for what is not there: before the first use, all that the constructor sets.
        if name.startswith("__") or "nodes_manager" in self.__dict__:
            raise AttributeError(name)
        with self._first_use:
            if "nodes_manager" not in self.__dict__:
                arguments, settings = self._given
                try:
                    super().__init__(*arguments, **settings)
                except RedisClusterException as error:
                    self.__dict__.pop("nodes_manager", None)
                    raise redis.ConnectionError("no node of the cluster answers") from error
        return getattr(self, name)

    def execute_command(self, *words: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        try:
            return super().execute_command(*words, **options)  # type: ignore[no-untyped-call]
        except RedisClusterException as error:
            raise redis.ConnectionError("no node of the cluster answers") from error

    def close(self) -> None:
        if "nodes_manager" in self.__dict__:
            super().close()

    def __del__(self) -> None:
        self.close()

"""Open Redis from its URL, with time-outs fit for the call path or for work in the background."""

from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from routing.cluster import Cluster
from routing.index.layout import Layout
from routing.link import RedisClient
from routing.reply_deadline import PromptParser

CALL_TIMEOUT = 0.25
"""Seconds a caller waits for Redis before the database is asked."""
EDIT_TIMEOUT = 0.5
"""Seconds an operator waits for his edit to reach the index; after that it is the worker's."""
COUNT_TIMEOUT = 0.1
"""Seconds a request waits for its counter; after that its process counts alone."""
BACKGROUND_TIMEOUT = 10.0
"""Seconds a worker or a command waits."""
_CONNECT_TIMEOUT = 0.2
_CLUSTER_PARTITIONS = 16


def layout_of(redis_url: str) -> Layout:
    """One partition on a plain Redis; sixteen where a cluster can spread them."""
    return Layout(_CLUSTER_PARTITIONS if "+cluster://" in redis_url else 1)


def open_redis(redis_url: str, timeout: float) -> RedisClient:
    """Make a client that never retries by itself: a retry would spend the caller's patience twice.

    Connects at the first command. `redis+sentinel://host:26379,host:26379/service/0` names the
    sentinels and the service; `redis+cluster://host:6379` names any node.
    """
    limits: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": min(timeout, _CONNECT_TIMEOUT) if timeout < 1 else timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    scheme, _, rest = redis_url.partition("://")
    if scheme.endswith("+sentinel"):
        return _through_sentinels(redis_url, limits, tls=scheme.startswith("rediss"))
    if scheme.endswith("+cluster"):
        return Cluster.from_url(f"{scheme.partition('+')[0]}://{rest}", **limits)
    return redis.Redis.from_url(redis_url, **limits, **_prompt(timeout))


def _prompt(timeout: float) -> dict[str, Any]:
    """While a caller waits, whole replies have a deadline, and the library does not introduce itself.

    Its introduction takes two replies more on each new connection.
    """
    return {"parser_class": PromptParser, "driver_info": None} if timeout < 1 else {}


def _through_sentinels(redis_url: str, limits: dict[str, Any], *, tls: bool) -> redis.Redis:
    parts = urlsplit(redis_url)
    account, _, hosts = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    sentinels = [(host, int(port or 26379)) for host, _, port in (h.partition(":") for h in hosts.split(","))]
    credentials = (
        {"username": unquote(user) or None, "password": unquote(password) or None} if account else {}
    )
    watch = Sentinel(  # type: ignore[no-untyped-call]
        sentinels,
        sentinel_kwargs=limits,
        **limits,
        **_prompt(limits["socket_timeout"]),
        **credentials,
        db=int(database or 0),
        ssl=tls,
    )
    master: redis.Redis = watch.master_for(service or "mymaster")  # type: ignore[no-untyped-call]
    return master

"""Fixtures of routing's tests: an empty index on plain Redis, with one partition and with several."""

import pytest
import redis

from routing.index.layout import Layout
from tests.routing.stored_index import StoredIndex


@pytest.fixture(params=[1, 4], ids=["one-partition", "four-partitions"])
def stored(request: pytest.FixtureRequest, redis_client: redis.Redis) -> StoredIndex:
    return StoredIndex(redis_client, Layout(request.param))

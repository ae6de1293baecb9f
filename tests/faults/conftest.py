"""The premises that the fault suite breaks: real Redis, real PostgreSQL, a proxy before each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.faults.premises import Premises
from tests.services.redis_server import RedisServer


@pytest.fixture(scope="session")
def fault_redis() -> Iterator[RedisServer]:
    """A Redis whose settings may be spoilt; `premises` puts them right again."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def premises(postgres_url: str, fault_redis: RedisServer, tmp_path: Path) -> Iterator[Premises]:
    with fault_redis.client() as client:
        client.config_set("maxmemory", "0")
        client.replicaof("NO", "ONE")
        client.flushall()
    # Tracebacks of what the tests provoke are long, and slow to print.
    with capture_logs(), Premises(postgres_url, fault_redis, tmp_path / "var") as premises:
        yield premises

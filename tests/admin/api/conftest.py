"""What tests of the API share: an installation on SQLite, one on PostgreSQL, and programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from models.api_token import Scope
from tests.admin.api.integrator import Integrator, Premises
from tests.services.redis_server import RedisServer


@pytest.fixture
def premises(
    sqlite_url: str, redis_server: RedisServer, redis_client: redis.Redis, tmp_path: Path
) -> Iterator[Premises]:
    made = Premises(sqlite_url, redis_client, redis_server.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def on_postgres(
    postgres_url: str, redis_server: RedisServer, redis_client: redis.Redis, tmp_path: Path
) -> Iterator[Premises]:
    """For what only several writers at once can show."""
    made = Premises(postgres_url, redis_client, redis_server.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def ada(premises: Premises) -> Integrator:
    """A program of the account's admin that may do everything."""
    return premises.program_of(premises.people.ada)


@pytest.fixture
def otis(premises: Premises) -> Integrator:
    """A program of a standard user."""
    return premises.program_of(premises.people.otis, Scope.WRITE)

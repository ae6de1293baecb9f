"""Fixtures for all tests: a real Redis and a real PostgreSQL per test process, databases per test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from models import migrate
from models.database import Database
from tests.services.chromium import chromium
from tests.services.postgres import Databases, PostgresServer
from tests.services.redis_server import RedisServer

# Real services on a shared machine answer when they can: examples have no deadline.
settings.register_profile(
    "hookswitch", database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hookswitch")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of this test process; leave it running (outages have their own `RedisServer()`)."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    with redis_server.client() as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Databases]:
    """The PostgreSQL of this test process, or the one that TEST_DATABASE_URL names."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Databases(url)
    else:
        with PostgresServer() as server:
            yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all tests of a process: playwright runs once in each.

    No browser, no such tests, except in CI.
    """
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: Databases) -> Iterator[str]:
    template = postgres_server.create_database()
    migrate.upgrade(template)
    yield template
    postgres_server.drop_database(template)


@pytest.fixture
def empty_postgres_url(postgres_server: Databases) -> Iterator[str]:
    """A database of its own without any table."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def postgres_url(postgres_server: Databases, _postgres_template: str) -> Iterator[str]:
    """A migrated database of its own."""
    url = postgres_server.create_database(_postgres_template)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{template}")
    return template


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A migrated database in a file of its own."""
    copy = tmp_path / "hookswitch.db"
    shutil.copyfile(_sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database, once on each kind."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    database = Database(request.getfixturevalue(fixture))
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    """A migrated database on PostgreSQL, for what only several writers at once can show."""
    database = Database(postgres_url)
    yield database
    database.dispose()


@pytest.fixture
def operators_database(postgres_url: str) -> Iterator[Database]:
    """The same with the limits and plans of pages and reports, which no caller waits for."""
    database = Database(postgres_url, unhurried=True)
    yield database
    database.dispose()

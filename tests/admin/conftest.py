"""What tests of the use cases share: one account, on each kind of database, as operators use them."""

from collections.abc import Iterator

import pytest

from models.database import Database
from tests.admin.office import Office


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    yield from _opened(request.getfixturevalue(fixture))


@pytest.fixture
def postgres_office(postgres_url: str) -> Iterator[Office]:
    """For what only several writers at once can show."""
    yield from _opened(postgres_url)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Office]:
    """For what has nothing to do with the kind of database."""
    yield from _opened(sqlite_url)


def _opened(url: str) -> Iterator[Office]:
    database = Database(url, unhurried=True)
    yield Office(database)
    database.dispose()

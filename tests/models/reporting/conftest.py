"""Reports are read with the limits and plans of operators' pages, not with those of calls."""

from collections.abc import Iterator

import pytest

from models.database import Database


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database, once on each kind."""
    database = Database(request.getfixturevalue(request.param), unhurried=True)
    yield database
    database.dispose()

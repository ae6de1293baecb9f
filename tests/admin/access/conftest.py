"""What tests of access share: a door on each kind of database."""

from collections.abc import Iterator

import pytest

from models.database import Database
from tests.admin.people import Premises


@pytest.fixture
def premises(database: Database) -> Premises:
    return Premises(database)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Premises]:
    """For what does not depend on the kind of database."""
    database = Database(sqlite_url)
    yield Premises(database)
    database.dispose()

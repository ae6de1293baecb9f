"""What tests of the pages share: an installation on SQLite, and people who look at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.ui.visits import Visit, visiting
from tests.admin.walk import World
from tests.builders import a_group
from tests.services.redis_server import RedisServer


@pytest.fixture(scope="module")
def _installation(
    _sqlite_template: Path, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    var = tmp_path_factory.mktemp("world")
    shutil.copyfile(_sqlite_template, var / "hookswitch.db")
    made = World(var / "hookswitch.db", redis_server.url)
    yield made
    made.close()


@pytest.fixture
def world(_installation: World) -> World:
    """An installation that is there already, with a north and a south of this test alone."""
    with _installation.database.session() as session:
        _installation.north = a_group(session, parent_id=_installation.root).id
        _installation.south = a_group(session, parent_id=_installation.root).id
    return _installation


@pytest.fixture
def ada(world: World) -> Visit:
    """The admin of all."""
    return visiting(world, "admin of all")


@pytest.fixture
def nora(world: World) -> Visit:
    """An admin of the north."""
    return visiting(world, "admin")


@pytest.fixture
def sue(world: World) -> Visit:
    """An admin of the south."""
    return visiting(world, "admin elsewhere")


@pytest.fixture
def otis(world: World) -> Visit:
    """A standard user of the north."""
    return visiting(world, "standard")

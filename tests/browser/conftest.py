"""A whole installation with the demo in it, tidied up before each test, and somebody who walks through it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.walk import Walk
from tests.services.postgres import Databases
from tests.services.redis_server import RedisServer

WIDE = {"width": 1400, "height": 900}


@pytest.fixture(scope="package")
def _house(
    postgres_server: Databases, _postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    var = tmp_path_factory.mktemp("house")
    with RedisServer() as server, server.client() as client:
        house = House(postgres_server, _postgres_template, server.url, client, var)
        yield house
        house.close()


@pytest.fixture
def house(_house: House) -> House:
    """An installation with the demo in it, on PostgreSQL and Redis, as if it were new."""
    _house.tidy_up()
    return _house


@pytest.fixture
def walk(browser: Browser, house: House) -> Iterator[Walk]:
    """Somebody who is not signed in yet. In the end nothing must have gone wrong unseen."""
    context = browser.new_context(viewport=WIDE, locale="en-GB", accept_downloads=True)  # type: ignore[arg-type]  # a dict like theirs
    walk = Walk(context, house)
    yield walk
    context.close()
    assert walk.troubles == []

"""A real browser, and a whole installation for each test; no browser, no tests, except in CI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.walk import Walk
from tests.services.chromium import chromium
from tests.services.redis_server import RedisServer

WIDE = {"width": 1400, "height": 900}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all tests of a process."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def browser_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def house(postgres_url: str, browser_redis: RedisServer, tmp_path: Path) -> Iterator[House]:
    """An installation with the demo in it, on PostgreSQL and Redis."""
    with browser_redis.client() as client:
        client.flushall()
        house = House(postgres_url, browser_redis.url, client, tmp_path)
        yield house
        house.close()


@pytest.fixture
def walk(browser: Browser, house: House) -> Iterator[Walk]:
    """Somebody who is not signed in yet. In the end nothing must have gone wrong unseen."""
    context = browser.new_context(viewport=WIDE, locale="en-GB", accept_downloads=True)  # type: ignore[arg-type]  # a dict like theirs
    walk = Walk(context, house)
    yield walk
    context.close()
    assert walk.troubles == []

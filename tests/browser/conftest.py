"""A real browser, and a whole installation for each test; no browser, no tests, except in CI."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import House
from tests.browser.walk import Walk
from tests.services.redis_server import RedisServer

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = {"width": 1400, "height": 900}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all tests of a process."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "no Chromium on PATH; the pages were not tested in a browser (apt install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


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

"""Who may do what: the table in docs/access.md, tried at every route of the application."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from models.api_token import Scope
from tests.admin.walk import PEOPLE, World
from tests.services.redis_server import RedisServer

_ROW = re.compile(r"\| `([A-Z]+ /[^`]*)` \|(.+)\|")
_DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
TABLE = {
    row[1]: dict(zip(PEOPLE, (cell.strip() for cell in row[2].split("|")), strict=True))
    for row in map(_ROW.fullmatch, _DOCUMENT.read_text(encoding="utf-8").splitlines())
    if row is not None
}
READING = [route for route in TABLE if route.startswith("GET")]
# Carriers sign what they send, and who only signs in has no session yet.
CHANGING = [
    route
    for route, cells in TABLE.items()
    if not route.startswith("GET") and cells["nobody"] == "401" and "/session/" not in route
]
OF_TOKENS = [route for route in CHANGING if re.search("/api/v1/(?!session|account)", route)]
ADMINISTRATION = re.compile(r"/(users|api-tokens|groups|plans|webhook-endpoints)\b")


@pytest.fixture(scope="module")
def world(
    _sqlite_template: Path, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    var = tmp_path_factory.mktemp("world")
    shutil.copyfile(_sqlite_template, var / "hookswitch.db")
    made = World(var / "hookswitch.db", redis_server.url)
    yield made
    made.close()


def test_a_change_is_noticed(world: World) -> None:
    before = world.version()
    world.somebody("standard")
    assert world.version() != before


def test_every_route_is_in_the_table_and_nothing_else(world: World) -> None:
    assert set(TABLE) == set(world.routes())


@pytest.mark.parametrize("route", TABLE)
def test_everybody_gets_what_the_table_says(world: World, route: str) -> None:
    answers = {kind: world.ask(route, world.somebody(kind)) for kind in PEOPLE}
    assert {kind: told(route, answer) for kind, answer in answers.items()} == TABLE[route]


def told(route: str, answer: TestResponse) -> str:
    """An answer in the words of the table; a page sends the browser on when something is done."""
    if answer.status_code == 303:
        is_asked_in = route.startswith("GET") and answer.headers["Location"].startswith("/login")
        return "sign in" if is_asked_in else "yes"
    return "yes" if answer.status_code < 300 else str(answer.status_code)


@pytest.mark.parametrize("route", {route.partition(" ")[2]: route for route in TABLE}.values())
def test_what_is_not_in_the_table_does_nothing(world: World, route: str) -> None:
    admin = world.somebody("admin of all")
    path = route.partition(" ")[2]
    unknown = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - {
        known.partition(" ")[0] for known in TABLE if known.endswith(f" {path}")
    }
    call = world.call(route, admin)
    before = world.version()
    statuses = {world.send(route, call, world.credentials(admin), method).status_code for method in unknown}
    # At an address where only forms are sent to, whoever asks for a page is told that there is none.
    assert statuses <= ({405} if "/api/" in route else {404, 405})
    assert world.version() == before


@pytest.mark.parametrize("route", READING)
def test_reading_changes_nothing(world: World, route: str) -> None:
    admin = world.somebody("admin of all")
    call = world.call(route, admin)
    before = world.version()
    answers = [world.send(route, call, world.credentials(admin), method) for method in ("GET", "HEAD")]
    assert len({answer.status_code for answer in answers}) == 1
    assert world.version() == before


@pytest.mark.parametrize("route", CHANGING)
def test_no_page_of_another_site_changes_anything(world: World, route: str) -> None:
    admin, other = (world.somebody("admin of all") for _ in range(2))
    call = world.call(route, admin)
    rightly = world.credentials(admin)
    before = world.version()
    for forged in (
        {"Cookie": rightly["Cookie"]},
        rightly | {"X-CSRF-Token": world.credentials(other)["X-CSRF-Token"]},
        rightly | {"Sec-Fetch-Site": "cross-site"},
        rightly | {"Sec-Fetch-Site": "same-site"},
        rightly | {"Origin": "https://elsewhere.example"},
    ):
        assert world.send(route, call, forged).status_code == 403
    assert world.version() == before


@pytest.mark.parametrize("route", OF_TOKENS)
def test_a_token_does_no_more_than_its_scope(world: World, route: str) -> None:
    admin = world.somebody("admin of all")
    may_not = [Scope.READ, Scope.WRITE] if ADMINISTRATION.search(route) else [Scope.READ]
    for scope in Scope:
        bearer = {"Authorization": f"Bearer {world.a_token(admin, scope)}"}
        status = world.send(route, world.call(route, admin), bearer).status_code
        assert (status == 403) is (scope in may_not), scope


@pytest.mark.parametrize("route", [route for route in CHANGING if route not in OF_TOKENS])
def test_a_token_opens_no_page_and_does_not_care_for_the_account_itself(world: World, route: str) -> None:
    admin = world.somebody("admin of all")
    bearer = {"Authorization": f"Bearer {world.a_token(admin, Scope.ADMIN)}"}
    assert world.send(route, world.call(route, admin), bearer).status_code == 403

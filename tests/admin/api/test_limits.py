"""Who asks too often is asked to wait; a Redis that is away or hangs neither refuses nor slows anybody."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from werkzeug.test import Client

from admin.api.limits import WINDOW, Counters, Limits, Rates
from scripts.stores import COUNT_TIMEOUT, open_redis
from tests.admin.api.integrator import Integrator, Premises
from tests.services.redis_server import RedisServer

NOON = 1_772_625_600.0


class Hands:
    """A clock that is moved by hand."""

    now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests a minute, of a minute that does not end, before the installation is put together."""
    monkeypatch.setattr(Counters.__init__, "__defaults__", (Hands(),))
    monkeypatch.setattr(Limits.__init__, "__defaults__", (Rates(signed_in=2, unknown=2),))


def test_the_requests_of_a_minute_are_counted_for_all_processes_together(
    redis_client: redis.Redis, hands: Hands
) -> None:
    first, second = Counters(redis_client, hands), Counters(redis_client, hands)
    assert [first.add("token:1"), second.add("token:1"), first.add("token:2")] == [1, 2, 1]
    hands.now += WINDOW - 0.1
    assert first.add("token:1") == 3
    hands.now += 0.1
    assert first.add("token:1") == 1


def test_counters_do_not_stay_in_redis(redis_client: redis.Redis, hands: Hands) -> None:
    Counters(redis_client, hands).add("token:1")
    (key,) = redis_client.keys("hs:rate:*")
    assert 0 < redis_client.ttl(key) <= 2 * WINDOW


@pytest.fixture
def hanging() -> Iterator[redis.Redis]:
    with RedisServer() as server:
        client = open_redis(server.url, COUNT_TIMEOUT)
        assert isinstance(client, redis.Redis)
        client.ping()
        server.freeze()
        yield client
        client.close()
        server.thaw()


def test_while_redis_hangs_each_process_counts_alone_and_waits_once(
    hanging: redis.Redis, hands: Hands
) -> None:
    counters = Counters(hanging, hands)
    began = time.monotonic()
    assert [counters.add("token:1") for _ in range(50)] == list(range(1, 51))
    assert time.monotonic() - began < 25 * COUNT_TIMEOUT
    hands.now += WINDOW
    assert counters.add("token:1") == 1


def test_who_asks_too_often_is_told_when_to_come_back(strict: None, premises: Premises) -> None:
    ada, again = premises.program_of(premises.people.ada), premises.program_of(premises.people.sue)
    answers = [ada.get("campaigns") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].detail
    assert 1 <= int(answers[-1].response.headers["Retry-After"]) <= WINDOW
    assert again.get("campaigns").status == 200


def test_who_does_not_say_who_he_is_is_counted_by_address(strict: None, premises: Premises) -> None:
    stranger, guesser = premises.stranger(), Integrator(premises.application, "hs_guessed")
    answers = [program.get("campaigns") for program in (stranger, guesser, stranger)]
    assert [answer.status for answer in answers] == [401, 401, 429]
    assert answers[-1].response.headers["Content-Security-Policy"]
    assert premises.program_of(premises.people.ada).get("campaigns").status == 200


def test_only_the_api_is_counted(strict: None, premises: Premises) -> None:
    client = Client(premises.application)
    assert [client.get("/healthz").status_code for _ in range(4)] == [200] * 4


def test_without_redis_the_api_works(sqlite_url: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    premises = Premises(sqlite_url, redis_client, "redis://127.0.0.1:1/0", tmp_path)
    ada = premises.program_of(premises.people.ada)
    assert ada.post("campaigns", {"name": "Leaflet"}).status == 201
    assert ada.get("campaigns").status == 200
    premises.close()

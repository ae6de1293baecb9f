"""The router on a real Redis that loses its index, its memory, its right to write, or its voice."""

from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from routing.arrival import Arrival, FactsUnavailable, Source
from routing.breaker import Breaker
from routing.decision import Apologise, Connect, Reason, Reject
from routing.index.layout import Layout
from routing.numbers import PhoneNumber
from routing.recorder import Happening, Recorder
from routing.route import Route
from routing.router import Router
from tests.builders import a_breaker
from tests.routing.facts import Truth, a_call, a_truth, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer


class Database:
    """Routes from a `Truth` and keeps what is recorded; `down` makes both fail."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.down = False
        self.recorded: list[Arrival] = []

    def load(self, number: PhoneNumber, _patterns: tuple[str, ...] = ()) -> Route | None:
        if self.down:
            raise FactsUnavailable
        facts = self.truth.numbers.get(number)
        if facts is None:
            return None
        return Route(facts, None if facts.campaign_id is None else self.truth.campaigns[facts.campaign_id])

    def record(self, happening: Happening) -> None:
        assert isinstance(happening, Arrival)
        if self.down:
            raise FactsUnavailable
        self.recorded.append(happening)


@pytest.fixture(scope="module")
def own_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(own_server: RedisServer) -> Iterator[RedisServer]:
    """A server whose settings a test may change."""
    yield own_server
    own_server.thaw()
    with own_server.client() as client:
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", 0)


@pytest.fixture
def database() -> Database:
    return Database(a_truth(40))


@pytest.fixture
def stored(server: RedisServer, database: Database) -> Iterator[StoredIndex]:
    with redis.Redis(
        unix_socket_path=server.socket,
        socket_timeout=0.25,
        socket_connect_timeout=0.25,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        client.flushall()
        stored = StoredIndex(client, Layout(1))
        stored.rebuild(database.truth)
        yield stored


@pytest.fixture
def router(stored: StoredIndex, database: Database) -> Router:
    return a_router(stored, database, a_breaker())


def a_router(stored: StoredIndex, database: Database, breaker: Breaker) -> Router:
    spooled: list[Happening] = []
    recorder = Recorder(journal=stored.journal, record=database.record, spool=spooled.append, breaker=breaker)
    return Router(
        index=stored.lookup, recorder=recorder, load=database.load, last_known=_no_copy, breaker=breaker
    )


def _no_copy(_number: PhoneNumber, _patterns: tuple[str, ...]) -> Route | None:
    raise FactsUnavailable


def journaled(stored: StoredIndex) -> list[Arrival | None]:
    return [entry.arrival for entry in stored.take_all()]


def test_calls_are_routed_and_journaled(stored: StoredIndex, router: Router, database: Database) -> None:
    arrivals = [router.route(a_call(phone(i), f"CA{i}")) for i in range(42)]
    assert [arrival.source for arrival in arrivals] == [Source.INDEX] * 41 + [Source.DATABASE]
    assert [arrival.decision.reason for arrival in arrivals[38:]] == [
        *(Reason.LIVE, Reason.LIVE, Reason.UNASSIGNED, Reason.UNKNOWN_NUMBER)
    ]
    assert journaled(stored) == arrivals
    assert database.recorded == []


def test_a_flushed_redis_journals_what_the_database_knows(
    stored: StoredIndex, router: Router, database: Database
) -> None:
    stored.client.flushall()
    arrival = router.route(a_call(phone(1)))
    assert isinstance(arrival.decision, Connect)
    assert journaled(stored) == [arrival]
    database.down = True
    assert router.route(a_call(phone(1))).decision == Apologise(Reason.UNAVAILABLE)


def test_a_read_only_replica_gives_facts_and_the_database_takes_the_call(
    stored: StoredIndex, router: Router, database: Database
) -> None:
    stored.client.replicaof("127.0.0.1", 1)
    for _ in range(5):
        arrival = router.route(a_call(phone(1)))
        assert arrival.source is Source.INDEX
        assert isinstance(arrival.decision, Connect)
    assert database.recorded == [arrival] * 5
    database.down = True
    assert isinstance(router.route(a_call(phone(1))).decision, Connect)


def test_a_full_redis_gives_facts_and_the_database_takes_the_call(
    stored: StoredIndex, router: Router, database: Database
) -> None:
    router.route(a_call(phone(0)))
    stored.client.config_set("maxmemory", 1)
    for i in range(1, 6):
        arrival = router.route(a_call(phone(i)))
        assert arrival.source is Source.INDEX
    assert len(database.recorded) == 5
    assert database.recorded[-1] == arrival
    stored.client.config_set("maxmemory", 0)
    assert len(journaled(stored)) == 1


def test_garbage_in_the_index_is_passed_over_for_the_database(
    stored: StoredIndex, router: Router, database: Database
) -> None:
    stored.spoil_number(phone(1), b"1 7 x")
    stored.client.set(stored.campaign_key(2, phone(4)), b"garbage")
    stored.client.delete(stored.bucket_key(phone(3)))
    stored.client.set(stored.bucket_key(phone(3)), b"a foreign type")
    stored.client.hdel(stored.bucket_key(phone(2)), phone(2).digits)
    for i in range(1, 5):
        arrival = router.route(a_call(phone(i), f"CA{i}"))
        assert arrival == Arrival(a_call(phone(i), f"CA{i}"), database.load(phone(i)), Source.DATABASE)
    database.down = True
    assert router.route(a_call(phone(1))).decision == Apologise(Reason.UNAVAILABLE)


def test_a_frozen_redis_is_replaced_by_the_database_and_taken_back(
    server: RedisServer, stored: StoredIndex, database: Database
) -> None:
    breaker = a_breaker(lambda: stored.lookup.route_of(phone(0)))
    router = a_router(stored, database, breaker)
    router.route(a_call(phone(0)))
    server.freeze()
    arrivals = [router.route(a_call(phone(i), f"CA{i}")) for i in range(1, 11)]
    assert [a.route for a in arrivals] == [database.load(phone(i)) for i in range(1, 11)]
    assert database.recorded == arrivals
    server.thaw()
    assert breaker.probe()
    taken_back = [router.route(a_call(phone(i), f"CA{i}")) for i in range(11, 21)]
    assert [a.source for a in taken_back] == [Source.INDEX] * 10
    assert [a.route for a in taken_back] == [database.load(phone(i)) for i in range(11, 21)]


def test_with_the_database_down_redis_alone_serves(
    stored: StoredIndex, router: Router, database: Database
) -> None:
    database.down = True
    assert isinstance(router.route(a_call(phone(1))).decision, Connect)
    assert router.route(a_call(phone(999))).decision == Reject(Reason.UNKNOWN_NUMBER)
    assert len(journaled(stored)) == 2

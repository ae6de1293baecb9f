"""PostgreSQL is away, frozen, locked or out of connections: callers do not notice, rows come later, once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from models import migrate
from scripts.soak.fault_proxy import Fault
from tests.faults.premises import Crowd, Premises
from tests.services.postgres import PostgresServer
from tests.services.redis_server import RedisServer

WAYS = [
    (Fault.REFUSE, 0),
    (Fault.RESET, 0),
    (Fault.BLACKHOLE, 0),
    (Fault.CUT, 0),
    (Fault.SLOW, 0.25),
    (Fault.LATENCY, 0.4),
]
by_way = pytest.mark.parametrize(("fault", "pause"), WAYS)
LONGEST = 4.0
QUICK = 1.0


@by_way
def test_with_redis_up_calls_do_not_notice(premises: Premises, fault: Fault, pause: float) -> None:
    premises.warm()
    premises.sql_line.turn(fault, pause)
    assert max(premises.ring_all(rounds=5)) < QUICK
    assert premises.web.web.get("/readyz").status_code == 200
    premises.every_call_is_logged_once()


@pytest.mark.parametrize(("fault", "pause"), [WAYS[0], WAYS[2], WAYS[3], WAYS[5]])
def test_with_redis_gone_too_a_warm_process_routes_from_the_last_known_copy(
    premises: Premises, fault: Fault, pause: float
) -> None:
    premises.warm()
    premises.redis_line.turn(Fault.REFUSE)
    premises.ring_all()
    premises.forget_times()
    premises.sql_line.turn(fault, pause)
    premises.ring_all(rounds=4)
    assert max(premises.rung.seconds) < LONGEST, premises.rung.seconds
    assert max(premises.rung.seconds[4:]) < LONGEST / 2, premises.rung.seconds
    premises.redis_line.turn(Fault.OK)
    premises.sql_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


def test_both_vanish_at_once_into_black_holes_under_load(premises: Premises) -> None:
    premises.warm()
    with Crowd(premises):
        for line in (premises.redis_line, premises.sql_line):
            line.turn(Fault.BLACKHOLE)
        premises.ring_all(rounds=3)
        for line in (premises.redis_line, premises.sql_line):
            line.turn(Fault.OK)
        premises.ring_all()
    assert max(premises.rung.seconds) < LONGEST
    premises.every_call_is_logged_once()


def test_a_number_that_no_copy_knows_is_never_rejected_in_the_dark(premises: Premises) -> None:
    premises.warm()
    for line in (premises.redis_line, premises.sql_line):
        line.turn(Fault.REFUSE)
    assert premises.web.ring("+15005550199").verbs == ["Say", "Hangup"]


def hold_all(held: ExitStack, url: str) -> None:
    while True:
        try:
            held.enter_context(psycopg.connect(url))
        except psycopg.OperationalError:
            return


def test_held_connections_starve_nobody(premises: Premises) -> None:
    """All connections of the server are taken: ours that are not open yet cannot be opened."""
    premises.warm()
    cold = premises.start_web()
    with ExitStack() as held:
        plain = premises.direct.database_url.replace("+psycopg", "")
        hold_all(held, plain)
        assert max(premises.ring_all(rounds=2, web=cold)) < QUICK
        premises.drop_index()
        premises.redis_line.turn(Fault.REFUSE)
        assert max(premises.ring_all(rounds=3, web=cold)) < LONGEST
    premises.redis_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


def test_locked_tables_hold_up_no_call(premises: Premises) -> None:
    premises.warm()
    plain = premises.direct.database_url.replace("+psycopg", "")
    with psycopg.connect(plain) as holder:
        holder.execute("LOCK TABLE calls, campaigns, tracking_numbers IN ACCESS EXCLUSIVE MODE")
        assert max(premises.ring_all(rounds=3)) < QUICK
        premises.redis_line.turn(Fault.REFUSE)
        assert max(premises.ring_all(rounds=3)) < LONGEST
    premises.redis_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def frozen(own_postgres: PostgresServer, fault_redis: RedisServer, tmp_path: Path) -> Iterator[Premises]:
    """Premises whose PostgreSQL stands still, with connections that were open before."""
    url = own_postgres.create_database()
    migrate.upgrade(url)
    with fault_redis.client() as client:
        client.flushall()
    with Premises(url, fault_redis, tmp_path / "var") as premises:
        premises.warm()
        own_postgres.freeze()
        try:
            yield premises
        finally:
            own_postgres.thaw()


def test_a_frozen_postgres_does_not_matter_to_callers(frozen: Premises, own_postgres: PostgresServer) -> None:
    assert max(frozen.ring_all(rounds=3)) < QUICK
    frozen.redis_line.turn(Fault.REFUSE)
    assert max(frozen.ring_all(rounds=3)) < LONGEST
    assert max(frozen.ring_all(rounds=3)) < LONGEST / 2
    frozen.redis_line.turn(Fault.OK)
    own_postgres.thaw()
    frozen.every_call_is_logged_once()

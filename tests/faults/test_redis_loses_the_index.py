"""Redis lost the index, holds what is none, or takes no writes: answers stay right, the index heals."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis

from models import outbox
from models.campaign import Campaign
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex, Miss
from routing.index.rebuild import Rebuilder
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.index_keeping import IndexKeeper
from scripts.soak.fault_proxy import Fault
from tests.builders import NOW
from tests.faults.premises import LIVE, NUMBERS, Crowd, Premises
from tests.services.ports import free_port


def indexed(premises: Premises) -> list[Route | Miss]:
    index = CampaignIndex(premises.redis, premises.layout)
    return [index.route_of(PhoneNumber(number)) for number in NUMBERS]


def is_healed(premises: Premises) -> bool:
    return all(isinstance(found, Route) for found in indexed(premises))


@pytest.fixture
def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rebuilds ran at once, noted whenever one begins."""
    running: list[int] = []
    begun: list[int] = []
    swap = Rebuilder._swap_in
    add = Rebuilder._add_all_campaigns

    def begin(rebuilder: Rebuilder, *arguments: object) -> int:
        running.append(1)
        begun.append(len(running))
        return add(rebuilder, *arguments)  # type: ignore[arg-type]

    def end(rebuilder: Rebuilder, generation: int) -> None:
        swap(rebuilder, generation)
        running.pop()

    monkeypatch.setattr(Rebuilder, "_add_all_campaigns", begin)
    monkeypatch.setattr(Rebuilder, "_swap_in", end)
    return begun


def test_emptied_under_load_it_is_rebuilt_once_and_nobody_hears_of_it(
    premises: Premises, rebuilds: list[int]
) -> None:
    premises.warm()
    rebuilds.clear()
    with Crowd(premises):
        for flush in range(1, 4):
            # The journal stays: calls that a flush takes with it are lost to everybody.
            for key in premises.redis.scan_iter("hs[0-9]*"):
                premises.redis.delete(key)
            # What the workers of three hosts do, at once.
            keepers = [
                threading.Thread(target=IndexKeeper(premises.database, premises.redis, Layout()).keep)
                for _ in range(3)
            ]
            for keeper in keepers:
                keeper.start()
            for keeper in keepers:
                keeper.join()
            assert is_healed(premises)
            assert flush <= len(rebuilds) <= flush * 3
            assert set(rebuilds) == {1}
    premises.every_call_is_logged_once()
    assert max(premises.rung.seconds) < 2


def test_a_flush_of_everything_under_load_changes_no_answer(premises: Premises) -> None:
    premises.warm()
    with Crowd(premises):
        premises.redis.flushall()
        premises.keep_index()
        assert is_healed(premises)
    # What had been journaled and not drained went with the flush; nothing stands there twice.
    premises.drain()
    assert set(premises.logged().values()) == {1}
    assert set(premises.logged()) <= set(premises.rung.sids)


def _spoil_facts(premises: Premises) -> None:
    for key in premises.redis.scan_iter("hs1:*:n:*"):
        for number in premises.redis.hkeys(key):
            premises.redis.hset(key, number, b"\xff\x00 garbage")


def _spoil_campaigns(premises: Premises) -> None:
    for key in premises.redis.scan_iter("hs1:*:c:*"):
        premises.redis.set(key, "999999999 {not json")


def _foreign_types(premises: Premises) -> None:
    for key in list(premises.redis.scan_iter("hs1:*:[nc]:*")):
        premises.redis.delete(key)
        premises.redis.rpush(key, "a list of somebody else's")


def _drop_campaigns(premises: Premises) -> None:
    premises.redis.delete(*premises.redis.scan_iter("hs1:*:c:*"))


def _drop_numbers(premises: Premises) -> None:
    premises.redis.delete(*premises.redis.scan_iter("hs1:*:n:*"))


def _pointer_to_nowhere(premises: Premises) -> None:
    premises.redis.set(premises.layout.live(0), "no generation")


def _pointer_of_another_type(premises: Premises) -> None:
    premises.redis.delete(premises.layout.live(0))
    premises.redis.hset(premises.layout.live(0), "a", "b")


def _other_schema(premises: Premises) -> None:
    for key in list(premises.redis.scan_iter("hs1:*")):
        premises.redis.rename(key, key.replace(b"hs1:", b"hs0:", 1))


SPOILED = [
    _spoil_facts,
    _spoil_campaigns,
    _foreign_types,
    _drop_campaigns,
    _drop_numbers,
    _pointer_to_nowhere,
    _pointer_of_another_type,
    _other_schema,
]


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__.strip("_"))
def test_what_is_not_ours_is_not_believed_and_a_rebuild_heals_it(
    premises: Premises, spoil: Callable[[Premises], None]
) -> None:
    premises.warm()
    spoil(premises)
    premises.ring_all(rounds=2)
    premises.web.rebuild_index()
    assert is_healed(premises)
    premises.ring_all()
    premises.every_call_is_logged_once()


@pytest.mark.parametrize(
    "spoil",
    [_spoil_facts, _drop_campaigns, _drop_numbers, _pointer_to_nowhere],
    ids=lambda spoil: spoil.__name__.strip("_"),
)
def test_with_the_database_gone_as_well_the_last_known_copy_answers(
    premises: Premises, spoil: Callable[[Premises], None]
) -> None:
    premises.warm()
    spoil(premises)
    premises.sql_line.turn(Fault.REFUSE)
    premises.ring_all(rounds=2)
    premises.sql_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


@pytest.mark.parametrize("spoil", [_pointer_to_nowhere, _pointer_of_another_type, _other_schema])
def test_the_worker_notices_by_itself_that_there_is_no_index(
    premises: Premises, spoil: Callable[[Premises], None]
) -> None:
    premises.warm()
    spoil(premises)
    premises.keep_index()
    assert is_healed(premises)


@contextmanager
def _full(premises: Premises) -> Iterator[None]:
    premises.redis.config_set("maxmemory", "1mb")
    premises.redis.config_set("maxmemory", "1")
    yield
    premises.redis.config_set("maxmemory", "0")


@contextmanager
def _replica(premises: Premises) -> Iterator[None]:
    """A replica of a primary that is gone, as after a failover that found nobody."""
    premises.redis.replicaof("127.0.0.1", free_port())
    yield
    premises.redis.replicaof("NO", "ONE")


@pytest.mark.parametrize("refusing", [_full, _replica], ids=["full", "read-only"])
def test_a_redis_that_takes_no_writes_serves_and_edits_wait(
    premises: Premises, refusing: Callable[[Premises], Iterator[None]]
) -> None:
    premises.warm()
    with refusing(premises):  # type: ignore[attr-defined]
        premises.ring_all(rounds=3)
        assert max(premises.rung.seconds) < 1
        premises.edit(_has_ended)
        with pytest.raises(redis.RedisError):
            premises.keep_index()
        with premises.database.reading() as session:
            assert outbox.backlog(session)[0] > 0
    premises.keep_index()
    with premises.database.reading() as session:
        assert outbox.backlog(session)[0] == 0
    found = CampaignIndex(premises.redis, premises.layout).route_of(PhoneNumber(LIVE))
    assert isinstance(found, Route)
    assert found.campaign is not None
    assert found.campaign.ends_at == NOW - timedelta(hours=1)
    premises.every_call_is_logged_once()


def _has_ended(campaign: Campaign) -> None:
    campaign.ends_at = NOW - timedelta(hours=1)

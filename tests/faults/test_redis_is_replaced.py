"""Another Redis takes the place of ours and is behind: the index is built anew, calls go on meanwhile."""

import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from models.campaign import Campaign
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex, Miss
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.index_keeping import IndexKeeper
from tests.builders import NOW
from tests.faults.premises import LIVE, Premises
from tests.services.redis_server import RedisServer

ENDED = NOW - timedelta(hours=1)


def keeper(premises: Premises, client: redis.Redis) -> IndexKeeper:
    return IndexKeeper(premises.database, client, Layout())


def generation(client: redis.Redis) -> bytes | None:
    found: Any = client.get(Layout().live(0))
    return None if found is None else bytes(found)


def knows_the_edit(client: redis.Redis) -> bool:
    found = CampaignIndex(client, Layout()).route_of(PhoneNumber(LIVE))
    return isinstance(found, Route) and found.campaign is not None and found.campaign.ends_at == ENDED


def end(campaign: Campaign) -> None:
    campaign.ends_at = ENDED


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of this test alone, which may be restarted."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def replica(premises: Premises) -> Iterator[redis.Redis]:
    """A replica that has heard of everything so far, and is cut off then."""
    premises.warm()
    # Neither waits for more replicas to come, nor at its end for one that has gone.
    premises.redis.config_set("repl-diskless-sync-delay", "0")
    premises.redis.config_set("shutdown-timeout", "0")
    # Without a file, whose first writing it would want to end.
    with RedisServer("--appendonly", "no") as server, server.client() as client:
        client.replicaof("127.0.0.1", premises.redis_server.port)
        deadline = time.monotonic() + 20
        while generation(client) != generation(premises.redis):
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(0.01)
        client.replicaof("NO", "ONE")
        yield client


def test_a_stale_replica_that_took_over_learns_the_edits_it_never_heard_of(
    premises: Premises, replica: redis.Redis
) -> None:
    premises.edit(end)
    premises.keep_index()
    assert knows_the_edit(premises.redis)
    assert not knows_the_edit(replica)
    keeper(premises, replica).keep()
    assert knows_the_edit(replica)


def test_it_answers_while_it_is_built_anew(premises: Premises, replica: redis.Redis) -> None:
    answers: list[Route | Miss] = []
    index = CampaignIndex(replica, Layout())
    keeper(premises, replica).keep(lambda _done: answers.append(index.route_of(PhoneNumber(LIVE))))
    assert answers
    assert all(isinstance(answer, Route) for answer in answers)


def test_several_workers_build_it_anew_once(premises: Premises, replica: redis.Redis) -> None:
    keepers = [keeper(premises, replica) for _ in range(3)]
    before = generation(replica)
    keepers[0].keep()
    after = generation(replica)
    assert after != before
    for _ in range(3):
        for each in keepers:
            each.keep()
    assert generation(replica) == after


def test_a_server_restored_from_an_old_copy_learns_what_it_forgot(
    premises: Premises, server: RedisServer, tmp_path: Path
) -> None:
    files = Path(server.socket).parent / "appendonlydir"
    with server.client() as client:
        keeper(premises, client).keep()
    server.stop()
    shutil.copytree(files, tmp_path / "copy")
    server.start()
    premises.edit(end)
    with server.client() as client:
        keeper(premises, client).keep()
        assert knows_the_edit(client)
    server.stop()
    shutil.rmtree(files)
    shutil.copytree(tmp_path / "copy", files)
    server.start()
    with server.client() as client:
        assert not knows_the_edit(client)
        keeper(premises, client).keep()
        assert knows_the_edit(client)


def test_a_restart_keeps_the_index_and_one_worker_makes_sure_of_it(
    premises: Premises, server: RedisServer
) -> None:
    with server.client() as client:
        keeper(premises, client).keep()
        before = generation(client)
    server.stop()
    server.start()
    with server.client() as client:
        index = CampaignIndex(client, Layout())
        assert isinstance(index.route_of(PhoneNumber(LIVE)), Route)
        keepers = [keeper(premises, client) for _ in range(2)]
        keepers[0].keep()
        after = generation(client)
        assert after != before
        keepers[1].keep()
        assert generation(client) == after


def test_an_empty_server_in_its_place_is_filled(premises: Premises, server: RedisServer) -> None:
    premises.warm()
    with server.client() as client:
        keeper(premises, client).keep()
        assert isinstance(CampaignIndex(client, Layout()).route_of(PhoneNumber(LIVE)), Route)

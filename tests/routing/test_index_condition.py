"""On which server the index was built, and when it was last compared: notes that outlive every process."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
from redis.exceptions import SlotNotCoveredError

from routing.cluster import Cluster
from routing.index.condition import Compared, IndexCondition
from routing.index.layout import Layout
from tests.routing.facts import NOW
from tests.services.cluster import two_nodes


@pytest.fixture(params=[1, 4], ids=["one-partition", "four-partitions"])
def condition(request: pytest.FixtureRequest, redis_client: redis.Redis) -> IndexCondition:
    return IndexCondition(redis_client, Layout(request.param))


def test_an_index_whose_origin_nobody_noted_may_be_anywhere(condition: IndexCondition) -> None:
    assert condition.is_on_other_servers()


def test_an_index_is_at_home_where_it_was_built(condition: IndexCondition) -> None:
    condition.was_built_on(condition.servers())
    assert not condition.is_on_other_servers()


def test_one_partition_built_elsewhere_is_enough(condition: IndexCondition) -> None:
    servers = condition.servers()
    condition.was_built_on(servers | {max(servers): "0" * 40})
    assert condition.is_on_other_servers()


def test_where_we_may_not_ask_nothing_is_said(redis_client: redis.Redis) -> None:
    redis_client.acl_setuser("shy", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-info"])
    path = redis_client.connection_pool.connection_kwargs["path"]
    try:
        with redis.Redis(unix_socket_path=path, username="shy", password="any") as shy:
            condition = IndexCondition(shy, Layout())
            assert condition.servers() == {}
            assert not condition.is_on_other_servers()
            condition.was_built_on({})
    finally:
        redis_client.acl_deluser("shy")


@pytest.mark.parametrize("pointer", [None, b"", b"garbage", b"1.5"])
def test_a_partition_that_names_no_generation_is_not_whole(
    condition: IndexCondition, redis_client: redis.Redis, pointer: bytes | None
) -> None:
    layout = condition._layout
    for partition in layout.all_partitions():
        redis_client.set(layout.live(partition), 1)
    assert condition.is_whole()
    last = layout.live(layout.partitions - 1)
    redis_client.delete(last) if pointer is None else redis_client.set(last, pointer)
    assert not condition.is_whole()


def test_a_pointer_of_another_type_is_none(condition: IndexCondition, redis_client: redis.Redis) -> None:
    for partition in condition._layout.all_partitions():
        redis_client.rpush(condition._layout.live(partition), 1)
    assert not condition.is_whole()


def test_one_of_several_compares_until_its_time_is_over(
    condition: IndexCondition, redis_client: redis.Redis
) -> None:
    assert [condition.claim_comparison(300) for _ in range(3)] == [True, False, False]
    assert 290 < redis_client.ttl(condition._layout.comparing()) <= 300


def test_what_a_comparison_found_is_remembered_and_damages_are_counted(condition: IndexCondition) -> None:
    assert condition.last_comparison() is None
    for damaged in (True, True, False):
        condition.was_compared(NOW, damaged=damaged)
    assert condition.last_comparison() == Compared(NOW, damaged=False, damages=2)


@pytest.mark.parametrize("at", ["", "yesterday", "99999999999999999999"])
def test_a_note_that_is_not_ours_is_none(
    condition: IndexCondition, redis_client: redis.Redis, at: str
) -> None:
    redis_client.hset(condition._layout.compared(), mapping={"at": at, "damaged": "0"})
    assert condition.last_comparison() is None


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with two_nodes() as client:
        yield client


def test_in_a_cluster_each_partition_has_the_server_of_its_keys(cluster: Cluster) -> None:
    condition = IndexCondition(cluster, Layout(16))
    servers = condition.servers()
    assert len(servers) == 16
    assert len(set(servers.values())) == 2
    condition.was_built_on(servers)
    assert not condition.is_on_other_servers()


def test_in_a_cluster_a_partition_that_moved_is_elsewhere(cluster: Cluster) -> None:
    condition = IndexCondition(cluster, Layout(16))
    servers = condition.servers()
    one, other = sorted(set(servers.values()))
    condition.was_built_on(servers | {0: other if servers[0] == one else one})
    assert condition.is_on_other_servers()


def test_a_cluster_with_a_gap_is_a_redis_error(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def uncovered(_key: str) -> None:
        raise SlotNotCoveredError

    monkeypatch.setattr(cluster, "get_node_from_key", uncovered)
    with pytest.raises(redis.ConnectionError):
        IndexCondition(cluster, Layout(16)).servers()


def test_notes_are_kept_in_a_cluster_too(cluster: Cluster) -> None:
    condition = IndexCondition(cluster, Layout(16))
    condition.was_compared(datetime(2026, 1, 1, tzinfo=UTC), damaged=True)
    compared = condition.last_comparison()
    assert compared is not None
    assert compared.damaged

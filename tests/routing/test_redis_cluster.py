"""Index and journal on Redis Cluster: every script and command stays within one slot."""

import time
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from routing.arrival import Arrival, Source
from routing.cluster import Cluster
from routing.index.layout import Layout
from routing.index.lookup import Miss
from routing.route import Route
from tests.routing.facts import TRACKING, Truth, a_call, a_campaign, a_number, a_truth, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

_SLOTS = 16384
LAYOUT = Layout(16)


@pytest.fixture(scope="module")
def cluster_server() -> Iterator[RedisServer]:
    """A cluster of one node that owns every slot."""
    with RedisServer("--cluster-enabled", "yes", "--cluster-node-timeout", "500") as server:
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTS", *range(_SLOTS))
        _until_it_serves(server)
        yield server


@pytest.fixture
def cluster(cluster_server: RedisServer) -> Iterator[StoredIndex]:
    with _client(cluster_server) as client:
        client.flushall()
        yield StoredIndex(client, LAYOUT)


def _client(server: RedisServer) -> Cluster:
    return Cluster(
        host="127.0.0.1",
        port=server.port,
        socket_timeout=5,
        socket_connect_timeout=5,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


def _until_it_serves(server: RedisServer) -> None:
    with server.client() as client:
        deadline = time.monotonic() + 20
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < deadline, "the test cluster does not get ready"
            time.sleep(0.02)


def test_a_rebuilt_index_serves_every_number(cluster: StoredIndex) -> None:
    truth = a_truth(300)
    assert cluster.rebuild(truth).numbers == 301
    assert cluster.holds(truth)
    used = {cluster.layout.place_of(number).partition for number in truth.numbers}
    assert used == set(range(16))


def test_rebuilding_again_swaps_and_sweeps(cluster: StoredIndex) -> None:
    cluster.rebuild(a_truth(300))
    built = cluster.rebuild(a_truth(30))
    assert cluster.generations_stored() == {str(built.generation)}
    assert cluster.route(phone(200)) is Miss.NOT_LISTED


def test_edits_reach_every_partition(cluster: StoredIndex) -> None:
    truth = a_truth(100)
    cluster.rebuild(truth)
    edit, moved = a_campaign(2, revision=2, enabled=False), a_number(phone(5), 1, number_id=6, revision=2)
    cluster.put(edit, moved)
    assert cluster.holds(truth.add(edit, moved))
    cluster.put(a_campaign(2, revision=1))
    assert cluster.holds(truth)


def test_the_audit_reads_the_whole_cluster(cluster: StoredIndex) -> None:
    truth = a_truth(100)
    cluster.rebuild(truth)
    assert cluster.differences(truth) == []
    truth.add(a_number(TRACKING, 1))
    assert [d.subject for d in cluster.differences(truth)] == ["number +1415•••0100"]


def test_calls_are_journaled_read_claimed_and_acknowledged(cluster: StoredIndex) -> None:
    truth = a_truth(60)
    cluster.rebuild(truth)
    for i in range(30):
        assert isinstance(cluster.lookup.arrive(a_call(phone(i), f"CA{i}"), phone(i)), Route)
    cluster.journal.append(Arrival(a_call(None, "CA30", dialled_text="joe"), None, Source.REQUEST))
    cluster.journal.append(Arrival(a_call(phone(40), "CA31"), None, Source.DATABASE))
    assert cluster.journal.length() == cluster.journal.backlog().entries == 32
    entries = cluster.take_all()
    assert {entry.arrival and entry.arrival.call.call_sid for entry in entries} == {
        f"CA{i}" for i in range(32)
    }
    claimed = cluster.journal.claim("another", 0, 100)
    assert {entry.raw[b"call"] for entry in claimed} == {entry.raw[b"call"] for entry in entries}
    cluster.journal.acknowledge(claimed)
    assert cluster.journal.length() == 0


def test_misses_are_told_apart(cluster: StoredIndex) -> None:
    assert cluster.lookup.arrive(a_call(), TRACKING) is Miss.NO_INDEX
    cluster.rebuild(Truth().add(a_number(phone(1))))
    assert cluster.lookup.arrive(a_call(), TRACKING) is Miss.NOT_LISTED
    assert cluster.lookup.arrive(a_call(phone(1)), phone(1)) is Miss.INCOMPLETE
    assert cluster.entries() == []


def test_the_script_is_handed_over_again_after_the_node_forgot_it(cluster: StoredIndex) -> None:
    cluster.rebuild(Truth().add(a_campaign(), a_number()))
    for _ in range(2):
        cluster.client.script_flush()
        assert isinstance(cluster.lookup.arrive(a_call(), TRACKING), Route)


def test_a_cluster_that_is_gone_is_a_redis_error_and_is_found_again(
    cluster: StoredIndex, cluster_server: RedisServer
) -> None:
    cluster.rebuild(Truth().add(a_campaign(), a_number()))
    cluster.lookup.arrive(a_call(), TRACKING)
    cluster_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(redis.RedisError):
                cluster.lookup.arrive(a_call(), TRACKING)
            with pytest.raises(redis.RedisError):
                cluster.journal.append(Arrival(a_call(), None, Source.DATABASE))
        unused = _client(cluster_server)  # a process may start while the cluster is away
        with pytest.raises(redis.ConnectionError):
            unused.get("anything")
    finally:
        cluster_server.start()
    _until_it_serves(cluster_server)
    assert isinstance(cluster.lookup.arrive(a_call(), TRACKING), Route)

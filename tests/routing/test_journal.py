"""The call journal on a real Redis: nothing that was appended is lost, misread or taken twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.arrival import Arrival, Source
from routing.encoding import encode_call
from routing.index.layout import Layout
from routing.journal import GROUP, Backlog, Entry, Journal
from routing.route import Route
from tests.routing import strategies
from tests.routing.facts import TRACKING, Truth, a_call, a_campaign, a_number, a_route, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

ARRIVALS = [
    Arrival(a_call(call_sid="CA1"), a_route(), Source.DATABASE),
    Arrival(a_call(call_sid="CA2"), Route(a_number(campaign_id=None, released=True)), Source.DATABASE),
    Arrival(a_call(call_sid="CA3"), None, Source.DATABASE),
    Arrival(a_call(call_sid="CA4"), None, Source.NONE),
    Arrival(a_call(None, "CA5", dialled_text="sip:joe@example.com"), None, Source.REQUEST),
    Arrival(a_call(call_sid="CA6"), None, Source.INDEX),
]


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def protocol(request: pytest.FixtureRequest) -> Literal[2, 3]:
    chosen: Literal[2, 3] = request.param
    return chosen


@pytest.fixture(params=[1, 4], ids=["one-partition", "four-partitions"])
def journal(
    request: pytest.FixtureRequest,
    redis_client: redis.Redis,
    redis_server: RedisServer,
    protocol: Literal[2, 3],
) -> Iterator[StoredIndex]:
    with redis.Redis(unix_socket_path=redis_server.socket, protocol=protocol, socket_timeout=5) as client:
        yield StoredIndex(client, Layout(request.param))


def arrivals_of(stored: StoredIndex) -> list[Arrival | None]:
    return [entry.arrival for entry in stored.take_all()]


def named(entry: Entry) -> tuple[int, bytes]:
    """Entries of two partitions may have the same id."""
    return entry.partition, entry.entry_id


def fill(stored: StoredIndex, count: int) -> None:
    for i in range(count):
        stored.journal.append(Arrival(a_call(phone(i), f"CA{i}"), None, Source.DATABASE))


@pytest.mark.parametrize("arrival", ARRIVALS, ids=lambda arrival: f"{arrival.call.call_sid}-{arrival.source}")
def test_what_is_appended_is_read_as_it_was(journal: StoredIndex, arrival: Arrival) -> None:
    journal.journal.append(arrival)
    assert arrivals_of(journal) == [arrival]


@settings(max_examples=40)
@given(call=strategies.calls, route=st.none() | strategies.routes(), source=st.sampled_from(Source))
def test_every_arrival_comes_back(
    redis_server: RedisServer, call: Any, route: Route | None, source: Source
) -> None:
    if route is not None:
        if call.dialled is None:
            return
        number = route.number
        call = a_call(number.number, received_at=call.received_at, caller=call.caller)
    with redis_server.client() as client:
        client.flushall()
        stored = StoredIndex(client, Layout(1))
        arrival = Arrival(call, route, source)
        stored.journal.append(arrival)
        assert arrivals_of(stored) == [arrival]


def test_what_the_look_up_journals_reads_like_an_append(journal: StoredIndex) -> None:
    journal.rebuild(Truth().add(a_campaign(), a_number()))
    route = journal.lookup.arrive(a_call(), TRACKING)
    assert isinstance(route, Route)
    assert arrivals_of(journal) == [Arrival(a_call(), route, Source.INDEX)]


def test_an_entry_is_given_to_one_worker_only(journal: StoredIndex) -> None:
    fill(journal, 20)
    first = journal.take_all("one")
    assert len(first) == 20
    assert journal.take_all("another") == []
    assert journal.take_all("one") == []


def test_acknowledged_entries_are_deleted_and_no_others(journal: StoredIndex) -> None:
    fill(journal, 20)
    entries = journal.take_all()
    journal.journal.acknowledge(entries[:15])
    assert journal.journal.length() == 5
    assert sorted(raw[b"call"] for _, raw in journal.entries()) == sorted(
        entry.raw[b"call"] for entry in entries[15:]
    )
    journal.journal.acknowledge(entries)
    assert journal.journal.length() == 0
    assert journal.journal.claim("another", 0, 100) == []


def test_acknowledging_nothing_or_again_does_no_harm(journal: StoredIndex) -> None:
    journal.journal.acknowledge([])
    fill(journal, 3)
    entries = journal.take_all()
    for _ in range(2):
        journal.journal.acknowledge(entries)
    assert journal.journal.length() == 0


def test_entries_of_a_dead_worker_are_claimed(journal: StoredIndex) -> None:
    fill(journal, 10)
    left = journal.take_all("the dead")
    claimed = journal.journal.claim("the living", 0, 100)
    assert set(map(named, claimed)) == set(map(named, left))
    assert [entry.arrival for entry in claimed] == [entry.arrival for entry in left]
    journal.journal.acknowledge(claimed)
    assert journal.journal.length() == 0


def test_entries_of_a_worker_that_may_still_be_at_it_are_not_claimed(journal: StoredIndex) -> None:
    fill(journal, 10)
    journal.take_all("at it")
    assert journal.journal.claim("impatient", 60_000, 100) == []


def test_a_claim_takes_at_most_so_many_a_partition(journal: StoredIndex) -> None:
    fill(journal, 40)
    journal.take_all("the dead")
    taken: set[tuple[int, bytes]] = set()
    for _ in range(40):
        batch = journal.journal.claim("the living", 0, 2)
        assert len(batch) <= 2 * journal.layout.partitions
        taken |= set(map(named, batch))
        journal.journal.acknowledge(batch)
    assert len(taken) == 40


def test_a_read_takes_at_most_so_many_a_partition_in_order(journal: StoredIndex) -> None:
    fill(journal, 30)
    journal.journal.open()
    first = journal.journal.read("one", 4, 1)
    rest = journal.journal.read("one", 1000, 1)
    assert len(first) <= 4 * journal.layout.partitions
    assert len(first) + len(rest) == 30
    for partition in journal.layout.all_partitions():
        ids = [entry.entry_id for entry in [*first, *rest] if entry.partition == partition]
        assert ids == [entry_id for entry_id, _ in journal.client.xrange(journal.layout.journal(partition))]


def test_nothing_is_trimmed_that_no_worker_has_had(redis_client: redis.Redis) -> None:
    stored = StoredIndex(redis_client, Layout(1))
    stored.rebuild(Truth().add(a_campaign(), a_number()))
    for i in range(2000):
        stored.lookup.arrive(a_call(call_sid=f"CA{i}"), TRACKING)
    fill(stored, 500)
    assert stored.journal.length() == 2500
    assert len(stored.take_all()) == 2500


def test_opening_again_keeps_what_was_read_and_what_was_not(journal: StoredIndex) -> None:
    fill(journal, 3)
    assert len(journal.take_all()) == 3
    fill(journal, 2)
    for _ in range(3):
        journal.journal.open()
    assert len(journal.take_all()) == 2
    assert len(journal.journal.claim("another", 0, 100)) == 5


def test_calls_from_before_the_first_opening_are_read(journal: StoredIndex) -> None:
    fill(journal, 4)
    journal.journal.open()
    assert len(journal.take_all()) == 4


def test_reading_without_a_group_is_refused_not_silent(journal: StoredIndex) -> None:
    fill(journal, 1)
    with pytest.raises(redis.ResponseError, match="NOGROUP"):
        journal.journal.read("one", 10, 1)


@pytest.mark.parametrize("wait_ms", [0, 1, 20])
def test_a_read_of_an_empty_journal_ends_when_its_wait_does(journal: StoredIndex, wait_ms: int) -> None:
    journal.journal.open()
    assert journal.journal.read("one", 10, wait_ms) == []


UNREADABLE: list[dict[Any, Any]] = [
    {b"call": b"garbage", b"number": b"", b"campaign": b""},
    {b"foreign": b"entry"},
    {b"call": encode_call(a_call())},
    {b"call": encode_call(a_call()), b"number": b"1 7 11"},
    {b"call": encode_call(a_call()), b"number": b"garbage", b"campaign": b""},
    {b"call": encode_call(a_call()), b"number": b"1 7 11", b"campaign": b""},
    {b"call": encode_call(a_call()), b"number": b"1 7 11", b"campaign": b"\xff"},
    {b"call": encode_call(a_call()), b"number": b"", b"campaign": b"", b"source": b"a friend"},
    {b"call": encode_call(a_call()), b"number": b"", b"campaign": b"", b"source": b"\xff\xfe"},
    {b"call": b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"number": b"", b"campaign": b""},
]


@pytest.mark.parametrize("raw", UNREADABLE, ids=range(len(UNREADABLE)))
def test_an_entry_that_cannot_be_read_is_handed_on_as_it_is(
    journal: StoredIndex, raw: dict[Any, Any]
) -> None:
    journal.client.xadd(journal.layout.journal(0), raw)
    journal.journal.append(ARRIVALS[4])
    bad, good = journal.take_all()
    assert bad.arrival is None
    assert bad.raw == raw
    assert good.arrival == ARRIVALS[4]
    [claimed] = [entry for entry in journal.journal.claim("another", 0, 10) if named(entry) == named(bad)]
    assert (claimed.arrival, claimed.raw) == (None, raw)


def test_an_entry_set_aside_is_kept_for_a_person_to_look_at(journal: StoredIndex) -> None:
    journal.client.xadd(journal.layout.journal(0), {"foreign": "entry"})
    [bad] = journal.take_all()
    assert journal.journal.set_aside_count() == 0
    journal.journal.set_aside(bad)
    journal.journal.acknowledge([bad])
    assert (journal.journal.length(), journal.journal.set_aside_count()) == (0, 1)
    [(_, kept)] = journal.client.xrange(journal.layout.journal(0) + ":unreadable")
    assert kept == {b"foreign": b"entry"}


def test_the_backlog_is_how_much_waits_since_when_and_what_was_set_aside(journal: StoredIndex) -> None:
    assert journal.journal.backlog() == Backlog(0, None, 0)
    seconds, micros = journal.client.time()
    began = datetime.fromtimestamp(seconds + micros / 1_000_000, UTC)
    fill(journal, 5)
    journal.client.xadd(journal.layout.journal(0), {"foreign": "entry"})
    [bad] = [entry for entry in journal.take_all() if entry.happening is None]
    found = journal.journal.backlog()
    assert (found.entries, found.set_aside) == (6, 0)
    assert found.oldest is not None
    assert timedelta(milliseconds=-1) <= found.oldest - began < timedelta(minutes=1)
    journal.journal.set_aside(bad)
    journal.journal.acknowledge([bad])
    assert (journal.journal.backlog().entries, journal.journal.backlog().set_aside) == (5, 1)


def test_a_claimed_entry_that_somebody_deleted_is_passed_over(journal: StoredIndex) -> None:
    fill(journal, 3)
    entries = journal.take_all("the dead")
    gone = entries[0]
    journal.client.xdel(journal.layout.journal(gone.partition), gone.entry_id)
    claimed = journal.journal.claim("the living", 0, 100)
    assert set(map(named, claimed)) == set(map(named, entries[1:]))


@settings(max_examples=40)
@given(
    raw=st.dictionaries(
        st.sampled_from([b"call", b"number", b"campaign", b"source", b"other"]),
        st.binary(max_size=30),
        min_size=1,
    )
)
def test_no_entry_stops_the_reading(redis_server: RedisServer, raw: dict[Any, Any]) -> None:
    with redis_server.client() as client:
        client.flushall()
        stored = StoredIndex(client, Layout(1))
        if b"call" in raw:
            raw[b"call"] = encode_call(a_call())
        client.xadd(stored.layout.journal(0), raw)
        [entry] = stored.take_all()
        assert entry.raw == raw


def test_the_group_is_shared_by_all_journals(redis_client: redis.Redis) -> None:
    Journal(redis_client, Layout(1)).open()
    [group] = redis_client.xinfo_groups(Layout.journal(0))
    assert group["name"] == GROUP.encode()

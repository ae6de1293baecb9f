"""The call path's one round trip on a real Redis: what is found, missed and journaled."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.arrival import Arrival, Source
from routing.decision import Connect, Reason, Reject
from routing.encoding import encode_call, encode_campaign, encode_number
from routing.index.layout import Layout
from routing.index.lookup import Miss
from routing.policy import decide
from routing.route import EndOfCampaign, Route
from tests.routing.facts import (
    BUSINESS,
    NOW,
    TICK,
    TRACKING,
    Truth,
    a_call,
    a_campaign,
    a_number,
    a_truth,
    phone,
)
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

PLAIN = Truth().add(a_campaign(), a_number())


def test_a_listed_number_is_routed_on_its_own_and_its_campaign_s_facts(stored: StoredIndex) -> None:
    number, campaign = a_number(whisper="¡Hola!", destination=BUSINESS), a_campaign(business_name="Zoë & Co")
    stored.rebuild(Truth().add(campaign, number))
    assert stored.lookup.arrive(a_call(), TRACKING) == Route(number, campaign)
    assert stored.lookup.route_of(TRACKING) == Route(number, campaign)


@pytest.mark.parametrize("said", [{}, {"released": True}, {"group_id": 3}])
def test_a_number_without_a_campaign_is_a_route_too(stored: StoredIndex, said: dict[str, Any]) -> None:
    number = a_number(campaign_id=None, **said)
    stored.rebuild(Truth().add(number))
    assert stored.lookup.arrive(a_call(), TRACKING) == Route(number)
    assert len(stored.entries()) == 1


def test_every_number_finds_its_own_route(stored: StoredIndex) -> None:
    truth = a_truth(200)
    stored.rebuild(truth)
    assert stored.holds(truth)


def test_the_journal_holds_the_call_and_the_very_facts_it_was_routed_on(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    call = a_call(caller_city="Zürich", attestation="TN-Validation-Passed-A")
    route = stored.lookup.arrive(call, TRACKING)
    stored.put(a_campaign(revision=2, enabled=False))
    [(_, raw)] = stored.entries()
    assert raw[b"call"] == encode_call(call)
    assert raw[b"number"] == encode_number(a_number())
    assert raw[b"campaign"] == encode_campaign(a_campaign())
    [entry] = stored.take_all()
    assert isinstance(route, Route)
    assert entry.arrival == Arrival(call, route, Source.INDEX)
    assert isinstance(entry.arrival.decision, Connect), "decided on the facts of then, not of now"


def test_each_call_is_one_command_that_looks_up_and_journals(
    stored: StoredIndex, redis_server: RedisServer
) -> None:
    truth = a_truth(10)
    stored.rebuild(truth)
    stored.lookup.arrive(a_call(phone(0)), phone(0))  # hands the script over
    before = len(stored.entries())
    with redis_server.client() as observer, observer.monitor() as monitor:
        for i in range(10):
            stored.lookup.arrive(a_call(phone(i), f"CA{i}"), phone(i))
        stored.client.echo("that is all")
        seen = []
        while "that is all" not in (command := monitor.next_command())["command"]:
            if command["client_type"] != "lua":
                seen.append(command["command"].split()[0].upper())
    assert seen == ["EVALSHA"] * 10
    assert len(stored.entries()) == before + 10


def test_a_look_up_leaves_no_trace(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    for number in (TRACKING, phone(1)):
        stored.lookup.route_of(number)
    assert stored.entries() == []


def test_without_an_index_nothing_is_known_and_nothing_journaled(stored: StoredIndex) -> None:
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.NO_INDEX
    assert stored.lookup.route_of(TRACKING) is Miss.NO_INDEX
    assert stored.entries() == []


@pytest.mark.parametrize("truth", [Truth(), PLAIN, a_truth(50)])
def test_a_number_that_a_whole_index_does_not_hold_is_not_listed(stored: StoredIndex, truth: Truth) -> None:
    stored.rebuild(truth)
    assert stored.lookup.arrive(a_call(phone(999)), phone(999)) is Miss.NOT_LISTED
    assert stored.entries() == []


def test_a_number_whose_campaign_is_not_there_is_incomplete(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(a_number()))
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.INCOMPLETE
    assert stored.entries() == []


@pytest.mark.parametrize(
    "raw", [b"", b"garbage", b"7", b"x 7 11", b'{"campaign_id": 7}', b"1  7 11", b"-1 7 11"]
)
def test_a_number_without_readable_head_is_incomplete(stored: StoredIndex, raw: bytes) -> None:
    stored.rebuild(PLAIN)
    stored.spoil_number(TRACKING, raw)
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.INCOMPLETE
    assert stored.entries() == []


UNREADABLE_NUMBERS = [b"1 7", b"1 7 x", b"1 7 11 {", b'1 7 11 {"destination":"555"}', b"1 7 11 \xff\xfe"]
UNREADABLE_CAMPAIGNS = [
    *(b"", b"garbage", b"\x80\x04K", b"1 {}", encode_campaign(a_campaign())[:-1]),
    *(encode_campaign(a_campaign(8)), encode_campaign(a_campaign()).replace(b"+1212", b"1212")),
]


@pytest.mark.parametrize("raw", UNREADABLE_NUMBERS)
def test_unreadable_number_facts_are_a_miss(stored: StoredIndex, raw: bytes) -> None:
    stored.rebuild(PLAIN)
    stored.spoil_number(TRACKING, raw)
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.UNREADABLE
    assert stored.lookup.route_of(TRACKING) is Miss.UNREADABLE


@pytest.mark.parametrize("raw", UNREADABLE_CAMPAIGNS)
def test_unreadable_campaign_facts_are_a_miss(stored: StoredIndex, raw: bytes) -> None:
    stored.rebuild(PLAIN)
    stored.client.set(stored.campaign_key(7, TRACKING), raw)
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.UNREADABLE
    assert stored.lookup.route_of(TRACKING) is Miss.UNREADABLE


def test_a_call_that_met_unreadable_facts_is_not_journaled_by_the_look_up(stored: StoredIndex) -> None:
    # Whoever asked journals it with the database's facts: twice would hand the worker a riddle.
    stored.rebuild(PLAIN)
    stored.client.set(stored.campaign_key(7, TRACKING), b"garbage")
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.UNREADABLE
    assert stored.entries() == []


@pytest.mark.parametrize("pointer", [b"garbage", b"99", b"", b"*", b"1:c"])
def test_a_pointer_to_nothing_is_a_miss(stored: StoredIndex, pointer: bytes) -> None:
    stored.rebuild(PLAIN)
    for partition in stored.layout.all_partitions():
        stored.client.set(stored.layout.live(partition), pointer)
    assert isinstance(stored.lookup.arrive(a_call(), TRACKING), Miss)
    assert stored.entries() == []


@pytest.mark.parametrize("key", ["live", "bucket", "campaign", "journal"])
def test_a_foreign_type_under_our_key_is_refused_by_redis(stored: StoredIndex, key: str) -> None:
    stored.rebuild(PLAIN)
    partition = stored.layout.place_of(TRACKING).partition
    ours = {
        "live": stored.layout.live(partition),
        "bucket": stored.bucket_key(TRACKING),
        "campaign": stored.campaign_key(7, TRACKING),
        "journal": stored.layout.journal(partition),
    }[key]
    stored.client.delete(ours)
    stored.client.rpush(ours, "foreign")
    with pytest.raises(redis.ResponseError):
        stored.lookup.arrive(a_call(), TRACKING)
    stored.client.delete(stored.layout.journal(partition))
    assert stored.entries() == []


def test_a_key_of_another_format_is_not_read(stored: StoredIndex) -> None:
    for partition in stored.layout.all_partitions():
        stored.client.set(stored.layout.live(partition).replace("hs1:", "hs0:"), 1)
    assert stored.lookup.route_of(TRACKING) is Miss.NO_INDEX


@settings(max_examples=60)
@given(number=st.binary(max_size=40), campaign=st.none() | st.binary(max_size=60))
def test_whatever_lies_under_our_keys_is_never_a_wrong_route(
    redis_server: RedisServer, number: bytes, campaign: bytes | None
) -> None:
    with redis_server.client() as client:
        client.flushall()
        stored = StoredIndex(client, Layout(1))
        stored.rebuild(PLAIN)
        stored.spoil_number(TRACKING, number)
        if campaign is not None:
            client.set(stored.campaign_key(7, TRACKING), campaign)
        found = stored.lookup.arrive(a_call(), TRACKING)
        if isinstance(found, Route):
            assert encode_number(found.number) == number
            assert found.campaign in {None, a_campaign()}


def test_one_stored_entry_carries_a_campaign_through_all_its_states(stored: StoredIndex) -> None:
    campaign = a_campaign(
        starts_at=NOW,
        ends_at=NOW + timedelta(days=1),
        end_of_campaign=EndOfCampaign.REFERRAL,
        referral_included=True,
    )
    stored.rebuild(Truth().add(campaign, a_number()))
    before = stored.client.get(stored.campaign_key(7, TRACKING))
    closes = NOW + timedelta(days=31)
    found = []
    for at in (
        NOW - TICK,
        NOW,
        NOW + timedelta(days=1) - TICK,
        NOW + timedelta(days=1),
        closes - TICK,
        closes,
    ):
        route = stored.lookup.arrive(a_call(received_at=at), TRACKING)
        assert isinstance(route, Route)
        found.append(decide(route, at).reason)
    live, referral = [Reason.LIVE] * 2, [Reason.REFERRAL] * 2
    assert found == [Reason.SCHEDULED, *live, *referral, Reason.ENDED]
    assert stored.client.get(stored.campaign_key(7, TRACKING)) == before
    assert decide(stored_route(stored), closes) == Reject(Reason.ENDED)


def test_the_script_is_handed_over_again_after_the_server_forgot_it(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    for _ in range(3):
        stored.client.script_flush()
        assert isinstance(stored.lookup.arrive(a_call(), TRACKING), Route)
        stored.put(a_campaign())
    assert len(stored.entries()) == 3


def test_a_flushed_redis_has_no_index_and_serves_again_after_a_rebuild(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    stored.client.flushall()
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.NO_INDEX
    stored.rebuild(PLAIN)
    assert isinstance(stored.lookup.arrive(a_call(), TRACKING), Route)


def stored_route(stored: StoredIndex) -> Route:
    route = stored.route(TRACKING)
    assert isinstance(route, Route)
    return route

"""Block lists on a real Redis: found in the one round trip, journaled, kept right, rebuilt, compared."""

from dataclasses import replace

import pytest

from routing.arrival import Arrival, Source
from routing.blocks import Block, CallerPattern
from routing.decision import Connect, Reason, Reject
from routing.index.audit import Difference, Fault
from routing.index.lookup import Miss
from routing.numbers import PhoneNumber
from routing.route import Route
from routing.spooled import decode_happening, encode_happening
from tests.routing.facts import (
    CALLER,
    TRACKING,
    Truth,
    a_block,
    a_call,
    a_campaign,
    a_number,
    a_route,
    a_truth,
    blocked,
    phone,
)
from tests.routing.stored_index import StoredIndex

PLAIN = Truth().add(a_campaign(), a_number())
HOLDING = a_block(1, pattern=CallerPattern("+1303*"))


def a_world_with(*blocks: Block) -> Truth:
    truth = Truth().add(a_campaign(groups_above=(1,)), a_number())
    return truth.add(*(blocked(block) for block in blocks))


@pytest.mark.parametrize("pattern", [CALLER.e164, f"{CALLER.e164}*", "+1303555*", "+1303*", "+1*"])
def test_a_caller_is_found_by_its_number_or_any_beginning_of_it(stored: StoredIndex, pattern: str) -> None:
    block = a_block(pattern=CallerPattern(pattern))
    stored.rebuild(a_world_with(block))
    route = stored.lookup.arrive(a_call(), TRACKING)
    assert isinstance(route, Route)
    assert route.blocks == (block,)


@pytest.mark.parametrize("pattern", ["+13035550143", "+13035550143*", "+1304*", "+2*", "anonymous"])
def test_other_callers_are_not_found(stored: StoredIndex, pattern: str) -> None:
    stored.rebuild(a_world_with(a_block(pattern=CallerPattern(pattern))))
    assert stored.lookup.arrive(a_call(), TRACKING) == a_route(groups_above=(1,))


def test_a_withheld_caller_is_found_as_anonymous(stored: StoredIndex) -> None:
    block = a_block(pattern=CallerPattern("anonymous"))
    stored.rebuild(a_world_with(block))
    route = stored.lookup.arrive(a_call(caller=None), TRACKING)
    assert isinstance(route, Route)
    assert route.blocks == (block,)


def test_the_lists_of_the_group_and_of_those_above_count_and_no_others(stored: StoredIndex) -> None:
    own, above, foreign = a_block(1, group_id=3), a_block(2, group_id=1), a_block(3, group_id=4)
    wide = a_block(4, group_id=1, pattern=CallerPattern("+1*"))
    stored.rebuild(a_world_with(wide).add(blocked(own, above, foreign)))
    route = stored.lookup.arrive(a_call(), TRACKING)
    assert isinstance(route, Route)
    assert route.blocks == (own, above, wide)


def test_the_journal_holds_the_blocks_that_the_decision_saw(stored: StoredIndex) -> None:
    stored.rebuild(a_world_with(HOLDING))
    route = stored.lookup.arrive(a_call(), TRACKING)
    stored.put(replace(blocked(HOLDING, revision=2), blocks=()))
    [entry] = stored.take_all()
    assert isinstance(route, Route)
    assert entry.arrival == Arrival(a_call(), route, Source.INDEX)
    assert entry.arrival.decision == Reject(Reason.BLOCKED_CALLER), "on the list of then, not of now"


def test_without_a_hit_an_entry_is_what_it_always_was(stored: StoredIndex) -> None:
    stored.rebuild(a_world_with(a_block(pattern=CallerPattern("+44*"))))
    stored.lookup.arrive(a_call(), TRACKING)
    [(_, raw)] = stored.entries()
    assert set(raw) == {b"call", b"number", b"campaign"}


def test_what_the_journal_is_given_by_hand_keeps_its_blocks_too(stored: StoredIndex) -> None:
    arrival = Arrival(a_call(), a_route().facing([HOLDING]), Source.DATABASE)
    stored.journal.append(arrival)
    assert [entry.arrival for entry in stored.take_all()] == [arrival]


def test_the_spool_keeps_blocks_and_reads_records_without_them() -> None:
    arrival = Arrival(a_call(), a_route().facing([HOLDING]), Source.SNAPSHOT)
    assert decode_happening(encode_happening(arrival)) == arrival
    plain = Arrival(a_call(), a_route(), Source.SNAPSHOT)
    assert b"blocks" not in encode_happening(plain)
    assert decode_happening(encode_happening(plain)) == plain


def test_a_look_up_for_nobody_in_particular_finds_no_blocks(stored: StoredIndex) -> None:
    stored.rebuild(a_world_with(HOLDING))
    assert stored.lookup.route_of(TRACKING) == a_route(groups_above=(1,))
    assert stored.lookup.route_of(TRACKING, (CALLER.e164,)) == a_route(groups_above=(1,)).facing([HOLDING])


@pytest.mark.parametrize("raw", [b"garbage", b"1 garbage", b'1 [{"id":1}]'])
def test_garbage_on_a_list_is_unreadable_and_leaves_no_entry(stored: StoredIndex, raw: bytes) -> None:
    stored.rebuild(PLAIN)
    stored.client.hset(stored.blocked_key(TRACKING), CALLER.e164, raw)
    assert stored.lookup.arrive(a_call(), TRACKING) is Miss.UNREADABLE
    assert stored.entries() == []


@pytest.mark.parametrize(("revision", "is_applied"), [(4, False), (5, True), (6, True)])
def test_a_list_is_replaced_unless_it_is_newer(stored: StoredIndex, revision: int, is_applied: bool) -> None:  # noqa: FBT001
    stored.rebuild(PLAIN)
    stored.put(blocked(HOLDING, revision=5))
    stored.put(replace(blocked(HOLDING, revision=revision), blocks=()))
    route = stored.lookup.route_of(TRACKING, ("+13035550142",))
    assert isinstance(route, Route)
    assert (route.blocks == ()) is is_applied


def test_an_edit_during_a_rebuild_is_not_undone_by_what_was_read_before(stored: StoredIndex) -> None:
    truth = a_world_with(HOLDING)
    lifted = replace(blocked(HOLDING, revision=2), blocks=())
    stored.rebuild(truth)
    stored.rebuild(truth, progress=lambda _done: stored.put(lifted))
    assert stored.lookup.arrive(a_call(), TRACKING) == a_route(groups_above=(1,))


def test_every_partition_has_every_list(stored: StoredIndex) -> None:
    truth = a_truth(40).add(blocked(a_block(group_id=3)))
    stored.rebuild(truth)
    for serial in range(40):
        route = stored.lookup.arrive(a_call(phone(serial)), phone(serial))
        assert isinstance(route, Route)
        assert len(route.blocks) == 1
    assert stored.differences(truth) == []


def test_the_comparison_finds_lists_that_are_missing_differ_or_are_too_many(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    partitions = stored.layout.partitions
    with_list = a_world_with(HOLDING)
    plain = Truth(with_list.campaigns, with_list.numbers)
    stored.rebuild(plain)
    assert stored.differences(with_list) == [Difference("blocked +1303*", Fault.MISSING)] * partitions
    stored.put(blocked(HOLDING))
    assert stored.differences(with_list) == []
    assert stored.differences(plain) == [Difference("blocked +1303*", Fault.SURPLUS)] * partitions
    with_list.add(replace(blocked(HOLDING, revision=2), blocks=()))
    assert stored.differences(with_list) == [Difference("blocked +1303*", Fault.DIFFERS)] * partitions


def test_the_comparison_shows_no_whole_number(stored: StoredIndex) -> None:
    stored.rebuild(PLAIN)
    stored.put(blocked(a_block()))
    stored.client.hset(stored.blocked_key(TRACKING), "4155550142 rang", b"x")
    subjects = {difference.subject for difference in stored.differences(PLAIN)}
    assert subjects == {"blocked +1303•••0142", "blocked callers that are no pattern of ours"}


def test_a_call_is_still_one_command(stored: StoredIndex) -> None:
    stored.rebuild(a_world_with(HOLDING))
    stored.lookup.arrive(a_call(), TRACKING)
    before = stored.client.info("commandstats")["cmdstat_evalsha"]["calls"]
    stored.lookup.arrive(a_call(call_sid="CA2"), TRACKING)
    assert stored.client.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1


def test_blocks_are_nothing_to_another_number(stored: StoredIndex) -> None:
    other = PhoneNumber("+14155550199")
    truth = a_world_with(HOLDING).add(a_campaign(8, group_id=9), a_number(other, 8, number_id=12))
    stored.rebuild(truth)
    arrived = stored.lookup.arrive(a_call(other), other)
    assert isinstance(arrived, Route)
    assert isinstance(Arrival(a_call(other), arrived, Source.INDEX).decision, Connect)

"""The audit finds what the index has wrong, and nothing in a fresh one."""

import pytest

from routing.index.audit import Difference, Fault
from tests.routing.facts import BUSINESS, TRACKING, Truth, a_campaign, a_number, a_truth, phone
from tests.routing.stored_index import StoredIndex


def test_a_fresh_index_agrees_with_the_truth(stored: StoredIndex) -> None:
    truth = a_truth(1200, campaigns=1050).add(
        a_campaign(9000, archived=True, business_name="Zoë", business_number=BUSINESS),
        a_number(TRACKING, 9000, released=True, destination=BUSINESS, whisper="hi"),
    )
    stored.rebuild(truth)
    assert stored.differences(truth) == []
    assert stored.differences(truth) == [], "looking changes nothing"


def test_an_empty_truth_agrees_with_an_empty_index(stored: StoredIndex) -> None:
    stored.rebuild(Truth())
    assert stored.differences(Truth()) == []


def test_a_number_that_the_index_lacks_is_missing(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20))
    assert stored.differences(a_truth(20).add(a_number(TRACKING, 1))) == [
        Difference("number +1415•••0100", Fault.MISSING)
    ]


def test_a_number_that_the_truth_lacks_is_surplus(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20).add(a_number(TRACKING, 1)))
    assert stored.differences(a_truth(20)) == [Difference("number +1415•••0100", Fault.SURPLUS)]


def test_a_number_of_which_both_say_something_else_differs(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20).add(a_number(TRACKING, 1)))
    for disagreeing in (
        a_number(TRACKING, 2),
        a_number(TRACKING, 1, revision=2),
        a_number(TRACKING, 1, released=True),
    ):
        assert stored.differences(a_truth(20).add(disagreeing)) == [
            Difference("number +1415•••0100", Fault.DIFFERS)
        ]


def test_a_campaign_is_looked_for_in_every_partition(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20))
    partitions = stored.layout.partitions
    missing = stored.differences(a_truth(20).add(a_campaign(12)))
    assert missing == [Difference("campaign 12", Fault.MISSING)] * partitions
    differing = stored.differences(a_truth(20).add(a_campaign(2, revision=2)))
    assert differing == [Difference("campaign 2", Fault.DIFFERS)] * partitions


def test_a_campaign_lost_in_one_partition_is_found(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20))
    stored.client.delete(stored.campaign_key(2, phone(4)))
    assert stored.differences(a_truth(20)) == [Difference("campaign 2", Fault.MISSING)]


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\xff\x00", b"1 2"])
def test_garbage_differs_from_every_truth(stored: StoredIndex, garbage: bytes) -> None:
    truth = Truth().add(a_campaign(), a_number())
    stored.rebuild(truth)
    stored.spoil_number(TRACKING, garbage)
    stored.client.set(stored.campaign_key(7, TRACKING), garbage)
    assert stored.differences(truth) == [
        Difference("campaign 7", Fault.DIFFERS),
        Difference("number +1415•••0100", Fault.DIFFERS),
    ]


def test_a_foreign_field_in_a_bucket_is_surplus(stored: StoredIndex) -> None:
    truth = Truth().add(a_campaign(), a_number())
    stored.rebuild(truth)
    stored.client.hset(stored.bucket_key(TRACKING), b"\xff\xfe", b"1 7 11")
    assert [difference.fault for difference in stored.differences(truth)] == [Fault.SURPLUS]


@pytest.mark.parametrize("pointer", [None, b"", b"garbage", b"99", b"*"])
def test_without_a_usable_index_everything_is_missing(stored: StoredIndex, pointer: bytes | None) -> None:
    truth = a_truth(4, campaigns=1)
    stored.rebuild(truth)
    for partition in stored.layout.all_partitions():
        live = stored.layout.live(partition)
        stored.client.delete(live) if pointer is None else stored.client.set(live, pointer)
    found = stored.differences(truth)
    assert {difference.fault for difference in found} == {Fault.MISSING}
    assert len(found) == 5 + stored.layout.partitions


def test_edits_carried_by_the_writer_agree_with_the_truth(stored: StoredIndex) -> None:
    truth = a_truth(20)
    stored.rebuild(truth)
    edit, moved = a_campaign(2, revision=2, enabled=False), a_number(phone(3), 3, number_id=4, revision=2)
    stored.put(edit, moved)
    assert stored.differences(truth.add(edit, moved)) == []


def test_no_difference_shows_a_whole_number(stored: StoredIndex) -> None:
    stored.rebuild(a_truth(20))
    for truth in (Truth(), a_truth(20).add(*(a_number(phone(i), 1) for i in range(100, 120)))):
        found = stored.differences(truth)
        assert found
        for difference in found:
            assert "number +1415•••0" in difference.subject

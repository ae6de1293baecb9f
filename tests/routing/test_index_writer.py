"""Edits on their way into the index: an older fact never replaces a newer one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.index.layout import Layout
from routing.index.lookup import Miss
from routing.route import CampaignFacts, NumberFacts, Route
from tests.routing.facts import BUSINESS, TRACKING, Truth, a_campaign, a_number, a_truth, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

START = Truth().add(a_campaign(revision=5, external_id="5"), a_number(revision=5, whisper="5"))


def campaign_of(stored: StoredIndex) -> CampaignFacts:
    route = stored.route(TRACKING)
    assert isinstance(route, Route)
    assert route.campaign is not None
    return route.campaign


def number_of(stored: StoredIndex) -> NumberFacts:
    route = stored.route(TRACKING)
    assert isinstance(route, Route)
    return route.number


@pytest.mark.parametrize(("revision", "applied"), [(4, False), (5, True), (6, True), (10, True), (44, True)])
def test_an_edit_is_applied_unless_it_is_older(stored: StoredIndex, revision: int, applied: bool) -> None:  # noqa: FBT001
    stored.rebuild(START)
    stored.put(a_campaign(revision=revision, external_id="new"), a_number(revision=revision, whisper="new"))
    assert campaign_of(stored).external_id == ("new" if applied else "5")
    assert number_of(stored).whisper == ("new" if applied else "5")


def test_revisions_are_compared_as_numbers(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(a_campaign(revision=10), a_number(revision=10)))
    stored.put(a_campaign(revision=9, enabled=False), a_number(revision=9, released=True))
    assert campaign_of(stored).enabled
    assert not number_of(stored).released


def test_applying_an_edit_again_changes_nothing(stored: StoredIndex) -> None:
    stored.rebuild(START)
    edit = a_campaign(revision=6, external_id="6")
    for _ in range(3):
        stored.put(edit)
    assert campaign_of(stored) == edit


@settings(max_examples=25)
@given(
    partitions=st.sampled_from([1, 4]),
    order=st.lists(st.integers(1, 7), max_size=6).flatmap(
        lambda again: st.permutations([*range(1, 9), *again])
    ),
)
def test_in_whatever_order_edits_arrive_the_newest_stays(
    redis_server: RedisServer, partitions: int, order: list[int]
) -> None:
    with redis_server.client() as client:
        client.flushall()
        stored = StoredIndex(client, Layout(partitions))
        stored.rebuild(Truth())
        for revision in order:
            stored.put(a_campaign(revision=revision, external_id=str(revision)))
            stored.put(a_number(revision=revision, whisper=str(revision)))
        assert campaign_of(stored).external_id == number_of(stored).whisper == "8"


def test_writers_in_eight_threads_leave_the_newest(stored: StoredIndex) -> None:
    stored.rebuild(START)

    def write(revision: int) -> None:
        stored.put(a_campaign(revision=revision, external_id=str(revision)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, (n * 37 % 101 for n in range(1, 101))))
    assert campaign_of(stored).external_id == "100"


def test_a_late_fill_with_old_facts_does_not_undo_an_update(stored: StoredIndex) -> None:
    stored.rebuild(START)
    old_campaign, old_number = campaign_of(stored), number_of(stored)
    stored.put(a_campaign(revision=6, enabled=False), a_number(revision=6, destination=BUSINESS))
    stored.put(old_campaign, old_number)
    assert not campaign_of(stored).enabled
    assert number_of(stored).destination == BUSINESS


def test_a_campaign_edit_is_seen_by_all_its_numbers(stored: StoredIndex) -> None:
    truth = a_truth(40)
    stored.rebuild(truth)
    edit = a_campaign(2, revision=2, enabled=False)
    stored.put(edit)
    assert stored.holds(truth.add(edit))


def test_a_new_number_on_a_new_campaign_is_routed(stored: StoredIndex) -> None:
    stored.rebuild(Truth())
    truth = a_truth(30)
    stored.put(*truth.all_campaigns(), *truth.all_numbers())
    assert stored.holds(truth)
    assert stored.differences(truth) == []


def test_a_number_moves_to_another_campaign_and_off_it(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(a_campaign(7), a_campaign(8), a_number()))
    stored.put(a_number(campaign_id=8, revision=2))
    assert campaign_of(stored).campaign_id == 8
    stored.put(a_number(campaign_id=None, revision=3, released=True))
    assert stored.route(TRACKING) == Route(a_number(campaign_id=None, revision=3, released=True))


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\xff\x00", b'{"revision":99}', b"99", b"-7 {}"])
def test_what_is_no_fact_of_ours_is_replaced(stored: StoredIndex, garbage: bytes) -> None:
    stored.rebuild(START)
    stored.spoil_number(TRACKING, garbage)
    stored.client.set(stored.campaign_key(7, TRACKING), garbage)
    stored.put(a_campaign(revision=1), a_number(revision=1))
    assert stored.route(TRACKING) == Route(a_number(), a_campaign())


def test_without_an_index_an_edit_makes_none(stored: StoredIndex) -> None:
    stored.put(a_campaign(), a_number())
    assert stored.client.keys() == []
    assert stored.route(TRACKING) is Miss.NO_INDEX


def test_no_edits_ask_nothing_of_redis(stored: StoredIndex) -> None:
    stored.rebuild(START)
    before = stored.client.info("stats")["total_commands_processed"]
    stored.put()
    assert stored.client.info("stats")["total_commands_processed"] == before + 1


def test_many_edits_at_once_all_arrive(stored: StoredIndex) -> None:
    stored.rebuild(Truth())
    truth = a_truth(numbers=3000, campaigns=500)
    stored.put(*truth.all_campaigns(), *truth.all_numbers())
    assert stored.differences(truth) == []
    assert stored.route(phone(2999)) == Route(
        truth.numbers[phone(2999)], truth.campaigns[truth.numbers[phone(2999)].campaign_id or 0]
    )

"""Rebuilding the index beside the live one: edits, rivals, floods and deaths on the way."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis

from routing.encoding import encoded
from routing.index import rebuild as rebuilding
from routing.index.audit import Difference
from routing.index.layout import Layout
from routing.index.lookup import Miss
from routing.index.rebuild import Rebuilder, RebuildInterrupted, RebuildUnderWay, Rebuilt
from routing.route import CampaignFacts, NumberFacts, Route
from tests.routing.facts import TRACKING, Truth, a_campaign, a_number, a_truth, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

OLD = (a_campaign(revision=1, external_id="old"), a_number(revision=1, whisper="old"))
EDITED = (a_campaign(revision=2, external_id="new"), a_number(revision=2, whisper="new"))


def rebuild_with(
    stored: StoredIndex,
    campaigns: Callable[[], Iterable[CampaignFacts]],
    numbers: Callable[[], Iterable[NumberFacts]],
) -> Rebuilt:
    return Rebuilder(stored.client, stored.layout).rebuild(campaigns, lambda: encoded(numbers()), list)


def test_a_rebuild_says_what_it_wrote(stored: StoredIndex) -> None:
    steps: list[int] = []
    built = stored.rebuild(a_truth(numbers=2500, campaigns=3), steps.append)
    assert (built.campaigns, built.numbers) == (3, 2501)
    assert steps == [3, 1000, 1000, 501]
    assert stored.generation() == built.generation


def test_the_index_is_whole_after_a_rebuild(stored: StoredIndex) -> None:
    truth = a_truth(500)
    stored.rebuild(truth)
    assert stored.holds(truth)
    assert stored.differences(truth) == []


def test_calls_are_routed_from_the_live_index_while_another_is_built(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(*OLD))
    seen: list[object] = []

    def numbers() -> Iterator[NumberFacts]:
        seen.append(stored.route(TRACKING))
        yield EDITED[1]
        seen.append(stored.route(TRACKING))

    rebuild_with(stored, lambda: [EDITED[0]], numbers)
    assert seen == [Route(OLD[1], OLD[0])] * 2
    assert stored.route(TRACKING) == Route(EDITED[1], EDITED[0])


def test_the_truth_is_read_only_after_edits_have_begun_to_reach_the_new_index(stored: StoredIndex) -> None:
    truth = Truth().add(*OLD)

    def campaigns() -> Iterable[CampaignFacts]:
        # Committed after the rebuild was asked for, before it read: in what is read, or written to both.
        stored.put(*EDITED)
        truth.add(*EDITED)
        return truth.all_campaigns()

    rebuild_with(stored, campaigns, truth.all_numbers)
    assert stored.holds(truth)


def test_an_edit_that_arrives_before_the_old_facts_survives_the_swap(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(*OLD))

    def campaigns() -> Iterator[CampaignFacts]:
        read = OLD[0]
        stored.put(EDITED[0])
        yield read

    def numbers() -> Iterator[NumberFacts]:
        read = OLD[1]
        stored.put(EDITED[1])
        yield read

    rebuild_with(stored, campaigns, numbers)
    assert stored.route(TRACKING) == Route(EDITED[1], EDITED[0])


def test_an_edit_that_arrives_after_the_old_facts_survives_the_swap(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(*OLD))

    def numbers() -> Iterator[NumberFacts]:
        yield OLD[1]
        yield from (a_number(phone(i), None) for i in range(1000))  # the first batch is written now
        stored.put(*EDITED)

    rebuild_with(stored, lambda: [OLD[0]], numbers)
    assert stored.route(TRACKING) == Route(EDITED[1], EDITED[0])


def test_a_late_edit_does_not_hide_what_the_rebuild_reads(stored: StoredIndex) -> None:
    # An edit read before, carried late: the live index refuses it, the one being built is still empty.
    stored.rebuild(Truth().add(*EDITED))

    def campaigns() -> Iterator[CampaignFacts]:
        stored.put(*OLD)
        yield EDITED[0]

    rebuild_with(stored, campaigns, lambda: [EDITED[1]])
    assert stored.route(TRACKING) == Route(EDITED[1], EDITED[0])


def test_a_number_made_while_the_index_is_built_is_in_it(stored: StoredIndex) -> None:
    def numbers() -> Iterator[NumberFacts]:
        stored.put(a_campaign(), a_number())
        yield from ()

    rebuild_with(stored, list, numbers)
    assert stored.route(TRACKING) == Route(a_number(), a_campaign())


def test_numbers_and_campaigns_gone_from_the_truth_are_gone_after_a_rebuild(stored: StoredIndex) -> None:
    stored.rebuild(Truth().add(a_campaign(7), a_number(TRACKING), a_number(phone(1))))
    stored.rebuild(Truth().add(a_number(phone(1))))
    assert stored.route(TRACKING) is Miss.NOT_LISTED
    assert stored.route(phone(1)) is Miss.INCOMPLETE


def test_an_empty_truth_makes_an_empty_whole_index(stored: StoredIndex) -> None:
    assert stored.rebuild(Truth()).numbers == 0
    assert stored.route(TRACKING) is Miss.NOT_LISTED


def test_of_two_rebuilders_the_second_is_turned_away(stored: StoredIndex) -> None:
    truth = a_truth(20)

    def numbers() -> Iterable[NumberFacts]:
        with pytest.raises(RebuildUnderWay):
            stored.rebuild(Truth())
        return truth.all_numbers()

    rebuild_with(stored, truth.all_campaigns, numbers)
    assert stored.holds(truth)
    stored.rebuild(truth)


def test_a_truth_that_cannot_be_read_leaves_the_live_index_and_no_lock(stored: StoredIndex) -> None:
    truth = a_truth(20)
    stored.rebuild(truth)

    def numbers() -> Iterator[NumberFacts]:
        yield a_number(TRACKING)
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        rebuild_with(stored, truth.all_campaigns, numbers)
    assert stored.holds(truth)
    assert stored.route(TRACKING) is Miss.NOT_LISTED
    stored.rebuild(truth)
    assert stored.holds(truth)


@pytest.mark.parametrize("when", ["before the campaigns", "between the batches", "before the swap"])
def test_a_flush_during_a_rebuild_interrupts_it_and_puts_no_part_of_it_live(
    stored: StoredIndex, when: str
) -> None:
    truth = a_truth(2500)
    stored.rebuild(truth)

    def flush(now: str) -> None:
        if now == when:
            stored.client.flushall()

    def campaigns() -> Iterator[CampaignFacts]:
        flush("before the campaigns")
        yield from truth.all_campaigns()

    def numbers() -> Iterator[NumberFacts]:
        for i, facts in enumerate(truth.all_numbers()):
            if i == 1500:
                flush("between the batches")
            yield facts

    def progress(done: int) -> None:
        if done == 501:
            flush("before the swap")

    with pytest.raises(RebuildInterrupted):
        Rebuilder(stored.client, stored.layout).rebuild(campaigns, lambda: encoded(numbers()), list, progress)
    assert stored.route(phone(0)) is Miss.NO_INDEX
    stored.rebuild(truth)
    assert stored.differences(truth) == []


def test_a_lost_build_leaves_the_live_index_as_it_was(stored: StoredIndex) -> None:
    truth = a_truth(20)
    stored.rebuild(truth)

    def numbers() -> Iterator[NumberFacts]:
        for partition in stored.layout.all_partitions():
            stored.client.delete(stored.layout.building(partition))
        yield a_number(TRACKING)

    with pytest.raises(RebuildInterrupted):
        rebuild_with(stored, truth.all_campaigns, numbers)
    assert stored.holds(truth)


def test_a_rebuild_from_before_a_flush_cannot_meddle_with_one_from_after_it(stored: StoredIndex) -> None:
    # The flush takes the first one's lock as well, so that a second may begin; the first still runs.
    truth = a_truth(20)
    second_has_begun, first_is_done = threading.Event(), threading.Event()
    outcome: list[object] = []

    def numbers_of_second() -> Iterable[NumberFacts]:
        second_has_begun.set()
        assert first_is_done.wait(10)
        return truth.all_numbers()

    def second() -> None:
        try:
            outcome.append(rebuild_with(stored, truth.all_campaigns, numbers_of_second))
        except Exception as error:  # noqa: BLE001 - told to the test
            outcome.append(error)
            second_has_begun.set()

    rival = threading.Thread(target=second)

    def campaigns_of_first() -> Iterable[CampaignFacts]:
        stored.client.flushall()
        rival.start()
        assert second_has_begun.wait(10)
        return [a_campaign(1, external_id="read before the flush")]

    try:
        with pytest.raises(RebuildInterrupted):
            rebuild_with(stored, campaigns_of_first, list)
        assert stored.route(phone(0)) is Miss.NO_INDEX
    finally:
        first_is_done.set()
        rival.join(10)
    assert isinstance(outcome[0], Rebuilt)
    assert stored.differences(truth) == []


def test_the_lock_of_a_dead_rebuilder_expires(stored: StoredIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = a_truth(20)
    stored.rebuild(truth)

    class Dies(Rebuilder):
        """Ends like a killed process: nothing is tidied up."""

        def __init__(self, client: Any, layout: Layout) -> None:
            super().__init__(client, layout)
            self._unlock = client.register_script("return 0")

    def numbers() -> Iterator[NumberFacts]:
        yield a_number(TRACKING)
        raise SystemExit

    monkeypatch.setattr(rebuilding, "_LEASE", 1)
    with pytest.raises(SystemExit):
        Dies(stored.client, stored.layout).rebuild(truth.all_campaigns, lambda: encoded(numbers()), list)
    with pytest.raises(RebuildUnderWay):
        stored.rebuild(truth)
    assert 0 < stored.client.pttl(stored.layout.lock()) <= 1000
    for partition in stored.layout.all_partitions():
        assert 0 < stored.client.pttl(stored.layout.building(partition)) <= 1000
    _until_gone(stored, stored.layout.lock())
    built = stored.rebuild(truth)
    assert stored.holds(truth)
    assert stored.generations_stored() == {str(built.generation)}


def test_a_rebuilder_that_slept_too_long_is_interrupted(stored: StoredIndex) -> None:
    truth = a_truth(20)

    def numbers() -> Iterable[NumberFacts]:
        stored.client.delete(stored.layout.lock())  # as if the lease had run out
        stored.rebuild(truth)
        return [a_number(TRACKING)]

    with pytest.raises(RebuildInterrupted):
        rebuild_with(stored, lambda: [a_campaign()], numbers)
    assert stored.differences(truth) == []


def test_a_rebuilder_that_slept_too_long_does_not_free_its_successor_s_lock(stored: StoredIndex) -> None:
    def numbers() -> Iterable[NumberFacts]:
        stored.client.set(stored.layout.lock(), "the successor's")
        return []

    rebuild_with(stored, list, numbers)
    assert stored.client.get(stored.layout.lock()) == b"the successor's"


def test_each_batch_renews_the_lease(stored: StoredIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "_LEASE", 30)
    leases = [stored.layout.lock(), *map(stored.layout.building, stored.layout.all_partitions())]
    clock = itertools.count(step=10)
    monkeypatch.setattr("routing.index.rebuild.time.monotonic", lambda: next(clock))
    left: list[int] = []

    def progress(_done: int) -> None:
        left.extend(map(stored.client.ttl, leases))
        for key in leases:
            stored.client.expire(key, 5)

    stored.rebuild(a_truth(6500), progress)
    # A batch is told of when it is on its way: the last one's lease is renewed a moment later.
    renewed = [seconds for seconds in left if seconds > 20]
    assert len(renewed) > len(leases)


def test_a_rebuild_leaves_one_generation_and_no_traces(stored: StoredIndex) -> None:
    for size in (2500, 20, 300):
        built = stored.rebuild(a_truth(size))
        assert stored.generations_stored() == {str(built.generation)}
    partitions = stored.layout.all_partitions()
    gone = [stored.layout.lock(), *(stored.layout.building(p) for p in partitions)]
    assert stored.client.exists(*gone) == 0


def test_generations_of_rebuilds_that_failed_are_swept_by_the_next(stored: StoredIndex) -> None:
    def numbers() -> Iterator[NumberFacts]:
        yield from (a_number(phone(i)) for i in range(1000))
        raise OSError("gone")

    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            rebuild_with(stored, lambda: [a_campaign()], numbers)
    assert len(stored.generations_stored()) == 2
    built = stored.rebuild(a_truth(20))
    assert stored.generations_stored() == {str(built.generation)}


def test_the_sweep_leaves_journal_and_foreign_keys_alone(stored: StoredIndex) -> None:
    for key in ("hs2:{p00}:5:n:1", "hs1:{p99}:5:n:1", "session:12", "hs1"):
        stored.client.set(key, "foreign")
    stored.client.xadd(stored.layout.journal(0), {"call": "x"})
    stored.rebuild(a_truth(20))
    stored.rebuild(a_truth(20))
    assert stored.client.exists("hs2:{p00}:5:n:1", "hs1:{p99}:5:n:1", "session:12", "hs1") == 4
    assert len(stored.entries()) == 1


def test_the_sweep_does_not_touch_a_rebuild_that_begins_meanwhile(redis_server: RedisServer) -> None:
    truth = a_truth(200)

    class Meddling(redis.Redis):
        """Lets another process try a whole rebuild just when the sweep begins to look for leftovers."""

        def scan_iter(self, *arguments: Any, **named: Any) -> Any:
            with suppress(RebuildUnderWay):
                bystander.rebuild(truth)
            return super().scan_iter(*arguments, **named)

    with redis_server.client() as client, Meddling(unix_socket_path=redis_server.socket) as meddling:
        client.flushall()
        bystander = StoredIndex(client, Layout(1))
        StoredIndex(meddling, Layout(1)).rebuild(truth)
        differences: list[Difference] = bystander.differences(truth)
    assert differences == []


def _until_gone(stored: StoredIndex, key: str) -> None:
    waited = threading.Event()
    for _ in range(300):
        if not stored.client.exists(key):
            return
        waited.wait(0.01)
    raise AssertionError(f"{key} does not expire")

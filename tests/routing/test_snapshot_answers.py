"""The snapshot answers as the facts it was written from, and switches to a newer file by itself."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.arrival import FactsUnavailable
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, NumberFacts, Route
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import write
from tests.routing import strategies
from tests.routing.facts import NOW, TRACKING, Truth, a_campaign, a_number, a_truth, phone


class Clock:
    """A monotonic clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "routes.snapshot"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def snapshot(path: Path, clock: Clock) -> Iterator[Snapshot]:
    snapshot = Snapshot(path, clock)
    yield snapshot
    snapshot.close()


def keep(path: Path, truth: Truth) -> None:
    write(path, truth.all_campaigns(), truth.all_numbers(), NOW)


def of_revision(revision: int) -> Truth:
    return Truth().add(a_campaign(revision=revision), a_number(revision=revision))


def open_descriptors(path: Path) -> list[str]:
    targets = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in targets if target.startswith(str(path))]


def test_every_number_has_the_route_it_was_written_with(path: Path, snapshot: Snapshot) -> None:
    truth = a_truth(numbers=500, campaigns=40)
    keep(path, truth)
    for facts in truth.all_numbers():
        campaign = None if facts.campaign_id is None else truth.campaigns[facts.campaign_id]
        assert snapshot.route_of(facts.number) == Route(facts, campaign)


@pytest.mark.parametrize("serial", [0, 1, 249, 250, 500])
def test_a_number_between_before_and_after_those_listed_is_unknown(
    path: Path, snapshot: Snapshot, serial: int
) -> None:
    numbers = [a_number(phone(i), None) for i in range(500) if i != serial]
    write(path, [], numbers, NOW)
    assert snapshot.route_of(phone(serial)) is None


def test_a_number_that_begins_or_continues_another_is_not_taken_for_it(
    path: Path, snapshot: Snapshot
) -> None:
    write(path, [], [a_number(PhoneNumber("+1415555010"), None)], NOW)
    assert snapshot.route_of(PhoneNumber("+141555501")) is None
    assert snapshot.route_of(PhoneNumber("+14155550100")) is None


@settings(max_examples=50)
@given(
    st.lists(strategies.campaigns, unique_by=lambda facts: facts.campaign_id),
    st.lists(strategies.numbers, unique_by=lambda facts: facts.number),
    st.lists(strategies.phones, max_size=5),
    st.randoms(),
)
def test_any_facts_come_back_or_are_said_to_be_missing(
    campaigns: list[CampaignFacts],
    numbers: list[NumberFacts],
    others: list[PhoneNumber],
    chance: Random,
) -> None:
    for i, facts in enumerate(numbers):
        if campaigns and chance.random() < 0.8:
            numbers[i] = a_number(facts.number, chance.choice(campaigns).campaign_id, number_id=i)
    held = {facts.campaign_id: facts for facts in campaigns}
    listed = {facts.number: facts for facts in numbers}
    with TemporaryDirectory() as directory:
        path = Path(directory) / "routes.snapshot"
        written = write(path, campaigns, numbers, NOW)
        assert (written.campaigns, written.numbers) == (len(campaigns), len(numbers))
        snapshot = Snapshot(path)
        for number in [*listed, *others]:
            facts_of_it = listed.get(number)
            if facts_of_it is None:
                assert snapshot.route_of(number) is None
            elif facts_of_it.campaign_id is None:
                assert snapshot.route_of(number) == Route(facts_of_it)
            elif facts_of_it.campaign_id in held:
                assert snapshot.route_of(number) == Route(facts_of_it, held[facts_of_it.campaign_id])
            else:
                with pytest.raises(FactsUnavailable):
                    snapshot.route_of(number)
        snapshot.close()


def test_an_empty_snapshot_knows_no_number(path: Path, snapshot: Snapshot) -> None:
    write(path, [], [], NOW)
    assert snapshot.route_of(TRACKING) is None


def test_without_a_file_nothing_is_known(snapshot: Snapshot) -> None:
    for ask in (lambda: snapshot.route_of(TRACKING), lambda: snapshot.taken_at, lambda: snapshot.age(NOW)):
        with pytest.raises(FactsUnavailable):
            ask()


def test_its_age_counts_from_the_instant_the_facts_were_read(path: Path, snapshot: Snapshot) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    write(path, [], [], elsewhere)
    assert snapshot.taken_at == NOW
    assert snapshot.taken_at.utcoffset() == timedelta(0)
    assert snapshot.age(NOW + timedelta(minutes=5)) == timedelta(minutes=5)


def test_a_missing_campaign_is_no_fact(path: Path, snapshot: Snapshot) -> None:
    write(path, [a_campaign(8)], [a_number(campaign_id=7)], NOW)
    with pytest.raises(FactsUnavailable):
        snapshot.route_of(TRACKING)


@pytest.mark.parametrize(("seconds", "revision"), [(0.99, 1), (1.0, 2), (1.01, 2)])
def test_a_replaced_file_is_noticed_within_a_second(
    path: Path, clock: Clock, snapshot: Snapshot, seconds: float, revision: int
) -> None:
    keep(path, of_revision(1))
    assert snapshot.route_of(TRACKING) is not None
    keep(path, of_revision(2))
    clock.now += seconds
    route = snapshot.route_of(TRACKING)
    assert route is not None
    assert route.number.revision == revision


def test_a_first_file_is_noticed_within_a_second(path: Path, clock: Clock, snapshot: Snapshot) -> None:
    with pytest.raises(FactsUnavailable):
        snapshot.route_of(TRACKING)
    keep(path, of_revision(1))
    clock.now += 1
    assert snapshot.route_of(TRACKING) is not None


@pytest.mark.parametrize("mishap", ["deleted", "broken"])
def test_the_last_good_copy_goes_on_answering(
    path: Path, clock: Clock, snapshot: Snapshot, mishap: str
) -> None:
    keep(path, of_revision(1))
    before = snapshot.route_of(TRACKING)
    path.unlink()
    if mishap == "broken":
        path.write_bytes(b"hookswitch routes 1\nnonsense")
    clock.now += 1
    assert snapshot.route_of(TRACKING) == before
    keep(path, of_revision(3))
    clock.now += 1
    route = snapshot.route_of(TRACKING)
    assert route is not None
    assert route.number.revision == 3


def test_a_replaced_file_is_let_go_of(path: Path, clock: Clock, snapshot: Snapshot) -> None:
    for revision in (1, 2, 3):
        keep(path, of_revision(revision))
        snapshot.route_of(TRACKING)
        assert len(open_descriptors(path)) == 1
        clock.now += 1
    snapshot.close()
    assert open_descriptors(path) == []
    assert snapshot.route_of(TRACKING) is not None


def test_a_broken_file_is_neither_held_nor_verified_again(
    path: Path, clock: Clock, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"hookswitch routes 1\n" + b"nonsense" * 100)
    opened: list[Path] = []
    real = os.open

    def counting(name: Path, flags: int) -> int:
        opened.append(name)
        return real(name, flags)

    monkeypatch.setattr("os.open", counting)
    for _ in range(3):
        with pytest.raises(FactsUnavailable):
            snapshot.route_of(TRACKING)
        clock.now += 1
    assert len(opened) == 1
    assert open_descriptors(path) == []


def test_four_threads_see_only_whole_copies_that_grow_newer(path: Path) -> None:
    last = 30
    numbers = [phone(i) for i in range(200)]

    def replace(revision: int) -> None:
        facts = [a_number(number, 7, revision=revision) for number in numbers]
        write(path, [a_campaign(7, revision=revision)], facts, NOW)

    replace(1)
    # The clock runs away, so that every question looks for a newer file.
    ticks = iter(range(1_000_000_000))
    snapshot = Snapshot(path, lambda: float(next(ticks)))
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        seen = 0
        while not done.is_set():
            for number in numbers:
                try:
                    route = snapshot.route_of(number)
                    assert route is not None
                    assert route.campaign is not None
                    assert route.number.revision == route.campaign.revision >= seen
                    seen = route.number.revision
                except (AssertionError, FactsUnavailable, OSError) as error:
                    wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for revision in range(2, last + 1):
        replace(revision)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    route = snapshot.route_of(numbers[0])
    assert route is not None
    assert route.number.revision == last
    snapshot.close()
    assert open_descriptors(path) == []

"""A snapshot is written whole or not at all, for its owner alone, in little memory."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from routing.route import NumberFacts
from routing.snapshot import writer
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import SnapshotUnderWay, Written, write
from tests.routing.facts import NOW, TRACKING, a_campaign, a_number, a_truth, phone
from tests.routing.killing import run_program

KILLED = """
import sys
from pathlib import Path
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import write
from tests.routing.facts import NOW, TRACKING, a_campaign, a_number
from tests.routing.killing import dies_at

path = Path(sys.argv[1])

def keep(revision, step=lambda: None):
    def numbers():
        step()
        yield a_number(revision=revision)
        step()
    write(path, [a_campaign()], numbers(), NOW)

def revision():
    snapshot = Snapshot(path)
    found = snapshot.route_of(TRACKING).number.revision
    snapshot.close()
    return found

keep(1)
seen = []
at = 1
while dies_at(at, lambda step: keep(2, step)):
    seen.append(revision())
    keep(1)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, path.name + ".lock"]
    assert revision() == 1
    at += 1
print(*seen)
"""
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from routing.numbers import PhoneNumber
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import write_stored
from tests.routing.facts import NOW, a_campaign

path, count = Path(sys.argv[1]), int(sys.argv[2])

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

number = lambda i: f"+1415{i * 7919 % 10_000_000:07d}"
before = megabytes()
written = write_stored(
    path, (a_campaign(i + 1) for i in range(count // 10)),
    ((number(i), b"1 %d %d" % (i % (count // 10) + 1, i + 1)) for i in range(count)), (), NOW)
after_writing = megabytes()
started = time.perf_counter()
snapshot = Snapshot(path)
snapshot.taken_at
verified = time.perf_counter() - started
for i in range(0, count, 20):
    assert snapshot.route_of(PhoneNumber(number(i))).number.number_id == i + 1
snapshot.close()
print(json.dumps([written.numbers, after_writing - before, megabytes() - after_writing, verified]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "routes.snapshot"


def revision_in(path: Path) -> int:
    snapshot = Snapshot(path)
    route = snapshot.route_of(TRACKING)
    snapshot.close()
    assert route is not None
    return route.number.revision


def names_beside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def test_it_says_what_was_written(path: Path) -> None:
    truth = a_truth(numbers=20, campaigns=3)
    written = write(path, truth.all_campaigns(), truth.all_numbers(), NOW)
    assert written == Written(numbers=21, campaigns=3, bytes=path.stat().st_size)


def test_only_its_owner_may_read_it(path: Path) -> None:
    for _ in range(2):
        write(path, [], [], NOW)
        assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}


def test_equal_facts_in_another_order_make_an_equal_file(path: Path) -> None:
    truth = a_truth(numbers=300, campaigns=30)
    write(path, truth.all_campaigns(), truth.all_numbers(), NOW)
    before = path.read_bytes()
    write(path, reversed(list(truth.all_campaigns())), reversed(list(truth.all_numbers())), NOW)
    assert path.read_bytes() == before


def test_many_runs_are_merged_into_one_order(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = a_truth(numbers=300, campaigns=30)
    write(path, truth.all_campaigns(), truth.all_numbers(), NOW)
    before = path.read_bytes()
    for run in (1, 7, 30, 301):
        monkeypatch.setattr(writer, "_RUN", run)
        write(path, truth.all_campaigns(), truth.all_numbers(), NOW)
        assert path.read_bytes() == before


@pytest.mark.parametrize("revisions", [(1, 2), (2, 1), (9, 10), (10, 9, 10)])
def test_of_facts_that_come_twice_the_newer_ones_count(path: Path, revisions: tuple[int, ...]) -> None:
    numbers = [a_number(revision=revision) for revision in revisions]
    campaigns = [a_campaign(revision=revision) for revision in revisions]
    assert write(path, campaigns, numbers, NOW).numbers == 1
    snapshot = Snapshot(path)
    route = snapshot.route_of(TRACKING)
    snapshot.close()
    assert route is not None
    assert route.campaign is not None
    assert route.number.revision == route.campaign.revision == max(revisions)


def test_an_instant_without_offset_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="offset"):
        write(path, [], [], datetime(2026, 3, 4))  # noqa: DTZ001 - that is the case


def test_facts_that_end_in_an_error_leave_the_old_file(path: Path) -> None:
    write(path, [a_campaign()], [a_number(revision=1)], NOW)

    def cut() -> Iterator[NumberFacts]:
        yield a_number(revision=2)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        write(path, [a_campaign()], cut(), NOW)
    assert revision_in(path) == 1
    assert names_beside(path) == ["routes.snapshot", "routes.snapshot.lock"]


@pytest.mark.parametrize("refused", ["os.fsync", "os.replace"])
def test_a_disk_that_refuses_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    write(path, [a_campaign()], [a_number(revision=1)], NOW)

    def refuse(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(refused, refuse)
        with pytest.raises(OSError, match="No space"):
            write(path, [a_campaign()], [a_number(revision=2)], NOW)
    assert revision_in(path) == 1
    assert names_beside(path) == ["routes.snapshot", "routes.snapshot.lock"]


def test_the_content_is_on_disk_before_its_name_and_the_name_before_we_go_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, [], [], NOW)
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        steps.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def rename(source: Path, target: Path) -> None:
        steps.append(f"rename to {Path(target).name}")
        replace(source, target)

    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr("os.replace", rename)
    write(path, [], [], NOW)
    assert steps == ["sync routes.snapshot.new", "rename to routes.snapshot", "sync var"]


def test_one_process_of_a_host_writes_at_a_time(path: Path) -> None:
    def meanwhile() -> Iterator[NumberFacts]:
        with pytest.raises(SnapshotUnderWay):
            write(path, [], [], NOW)
        yield a_number(phone(5), None)

    assert write(path, [], meanwhile(), NOW).numbers == 1
    assert write(path, [], [], NOW).numbers == 0


def test_a_writer_killed_at_any_step_leaves_the_old_file_or_the_new(path: Path) -> None:
    seen = [int(word) for word in run_program(KILLED, path).split()]
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert set(seen) == {1, 2}


def test_a_hundred_thousand_numbers_are_written_and_read_in_little_memory(path: Path) -> None:
    count, writing, reading, verified = json.loads(run_program(MEASURED, path, 100_000))
    assert count == 100_000
    assert writing < 40
    assert reading < 40
    assert verified < 1

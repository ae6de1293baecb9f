"""The replay hands over each record once in effect, whatever dies, and keeps what it cannot read."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from routing.spool.record import line_of
from routing.spool.replay import Held, held, replay
from routing.spool.writer import Spool
from tests.routing.killing import run_program

RECORDS = [b"call %d" % i for i in range(6)]

KILLED = """
import sys
from pathlib import Path
from routing.spool.record import line_of
from routing.spool.replay import held, replay
from routing.spool.writer import Spool
from tests.routing.killing import dies_at

base = Path(sys.argv[1])
RECORDS = [b"call %d" % i for i in range(7)]
BATCH = 3
at = 1
while True:
    directory, log = base / str(at), base / f"{at}.log"
    spool = Spool(directory, limit=32 * 60)
    for record in RECORDS:
        spool.append(record)
    spool.close()
    damaged = sorted(directory.glob("*.spool"))[0]
    damaged.write_bytes(damaged.read_bytes() + line_of(b"x").replace(b"x", b"y"))

    def write(records, step=lambda: None):
        assert len(records) <= BATCH
        step()
        with log.open("ab") as file:
            file.writelines(record + b"\\n" for record in records)
        step()

    died = dies_at(at, lambda step: replay(directory, lambda records: write(records, step), BATCH))
    replay(directory, write, BATCH)
    written = log.read_bytes().splitlines()
    assert set(written) == set(RECORDS), (at, written)
    repeated = len(written) - len(RECORDS)
    assert repeated <= BATCH, (at, written)
    left = held(directory)
    assert (left.files, left.bytes, left.corrupt) == (0, 0, 1), (at, left)
    if not died:
        break
    at += 1
assert repeated == 0
print(at)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def kept(directory: Path, records: Sequence[bytes] = RECORDS) -> Path:
    """A file that a dead writer left."""
    spool = Spool(directory)
    for record in records:
        spool.append(record)
    spool.close()
    return files(directory)[-1]


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


def replayed(directory: Path) -> list[bytes]:
    found: list[bytes] = []
    assert replay(directory, found.extend) == len(found)
    return found


def set_aside(directory: Path) -> list[bytes]:
    return [line for file in directory.glob("*.corrupt") for line in file.read_bytes().splitlines()]


def test_without_a_spool_there_is_nothing_to_replay(directory: Path) -> None:
    assert replayed(directory) == []
    assert held(directory) == Held(0, 0, 0)


@pytest.mark.parametrize(("batch", "sizes"), [(5, [5, 1]), (6, [6]), (7, [6]), (1, [1] * 6)])
def test_records_come_in_batches(directory: Path, batch: int, sizes: list[int]) -> None:
    kept(directory)
    batches: list[Sequence[bytes]] = []
    assert replay(directory, batches.append, batch) == 6
    assert [len(each) for each in batches] == sizes
    assert [record for each in batches for record in each] == RECORDS


def test_older_files_come_first(directory: Path) -> None:
    for record in RECORDS:
        kept(directory, [record])
    assert len(files(directory)) == 6
    assert replayed(directory) == RECORDS


def test_files_of_dead_writers_are_deleted_once_replayed(directory: Path) -> None:
    kept(directory)
    replayed(directory)
    assert files(directory) == []
    assert replayed(directory) == []


def test_the_file_of_a_living_writer_stays_and_goes_on(directory: Path) -> None:
    spool = Spool(directory)
    for record in RECORDS:
        spool.append(record)
        assert replayed(directory) == [record]
    assert len(files(directory)) == 1
    assert held(directory) == Held(files=1, bytes=0, corrupt=0)
    spool.close()
    assert replayed(directory) == []
    assert files(directory) == []


def test_what_waits_is_counted(directory: Path) -> None:
    spool = Spool(directory)
    spool.append(b"call")
    assert held(directory) == Held(files=1, bytes=len(line_of(b"call")), corrupt=0)
    spool.close()


@pytest.mark.parametrize("handed_over", [0, 3, 6])
def test_a_log_that_fails_gets_the_batch_again(directory: Path, handed_over: int) -> None:
    kept(directory)
    taken: list[bytes] = []

    def write(records: Sequence[bytes]) -> None:
        if len(taken) == handed_over:
            raise ConnectionError("the database went away")
        taken.extend(records)

    if handed_over < len(RECORDS):
        with pytest.raises(ConnectionError):
            replay(directory, write, batch=3)
    else:
        replay(directory, write, batch=3)
    assert taken + replayed(directory) == RECORDS


def test_an_error_of_the_log_is_not_taken_for_a_missing_file(directory: Path) -> None:
    kept(directory)

    def write(_records: Sequence[bytes]) -> None:
        raise FileNotFoundError("the log's own file")

    with pytest.raises(FileNotFoundError):
        replay(directory, write)
    assert replayed(directory) == RECORDS


def test_one_process_replays_at_a_time(directory: Path) -> None:
    kept(directory)
    others: list[int] = []
    unexpected: list[object] = []
    assert replay(directory, lambda _records: others.append(replay(directory, unexpected.append))) == 6
    assert others == [0]
    assert unexpected == []


def test_a_line_under_way_waits_for_its_end(directory: Path) -> None:
    spool = Spool(directory)
    spool.append(b"whole")
    line = line_of(b"under way")
    with files(directory)[0].open("ab", buffering=0) as file:
        file.write(line[:12])
        assert replayed(directory) == [b"whole"]
        assert replayed(directory) == []
        file.write(line[12:])
    assert replayed(directory) == [b"under way"]
    assert set_aside(directory) == []
    spool.close()


def test_a_file_cut_short_anywhere_gives_its_whole_records(directory: Path) -> None:
    whole = kept(directory).read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        files(directory)[0].write_bytes(whole[:length])
        complete = sum(end <= length for end in ends)  # a line is whole without its break, too
        assert replayed(directory) == RECORDS[:complete], length
        torn = whole[:length].rpartition(b"\n")[2] if length not in ends else b""
        assert [line.partition(b" ")[2] for line in set_aside(directory)] == [torn] * bool(torn)
        assert files(directory) == []
        for file in directory.glob("*.corrupt"):
            file.unlink()
        kept(directory)


@pytest.mark.parametrize("mask", [0x01, 0x2A, 0xFF])
def test_a_file_with_any_byte_changed_gives_all_other_records(directory: Path, mask: int) -> None:
    whole = kept(directory).read_bytes()
    for place in range(len(whole)):
        files(directory)[0].write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        found = replayed(directory)
        hit = whole.count(b"\n", 0, place)
        # A changed line break damages the lines on both of its sides.
        damaged = {hit, hit + 1} if whole[place] == ord("\n") else {hit}
        assert found == [record for i, record in enumerate(RECORDS) if i not in damaged], place
        assert held(directory).corrupt == len(set_aside(directory)) >= 1
        assert b"".join(line.partition(b" ")[2] for line in set_aside(directory))
        for file in directory.glob("*.corrupt"):
            assert file.stat().st_mode & 0o777 == 0o600
            file.unlink()
        kept(directory)


def test_a_damaged_line_is_set_aside_once_and_does_not_hold_up_the_others(directory: Path) -> None:
    spool = Spool(directory)
    spool.append(b"before")
    with files(directory)[0].open("ab") as file:
        file.write(b"nonsense\n")
    spool.append(b"after")
    for expected in ([b"before", b"after"], []):
        assert replayed(directory) == expected
        assert [line.partition(b" ")[2] for line in set_aside(directory)] == [b"nonsense"]
        assert held(directory) == Held(files=1, bytes=0, corrupt=1)
    spool.close()


@pytest.mark.parametrize("progress", [b"", b"nonsense", b"[1]", b'{"a": "b"}', None])
def test_without_a_memory_all_comes_again(directory: Path, progress: bytes | None) -> None:
    spool = Spool(directory)
    for record in RECORDS:
        spool.append(record)
    assert replayed(directory) == RECORDS
    memory = directory / "replayed.json"
    if progress is None:
        memory.unlink()
    else:
        memory.write_bytes(progress)
    assert replayed(directory) == RECORDS
    spool.close()


def test_a_file_shorter_than_its_memory_is_read_from_its_beginning(directory: Path) -> None:
    spool = Spool(directory)
    for record in RECORDS:
        spool.append(record)
    replayed(directory)
    os.truncate(files(directory)[0], len(line_of(RECORDS[0])))
    assert replayed(directory) == RECORDS[:1]
    spool.close()


def test_the_memory_does_not_grow_with_files_that_are_gone(directory: Path) -> None:
    for record in RECORDS:
        kept(directory, [record])
        replayed(directory)
    assert (directory / "replayed.json").stat().st_size < 200


def test_a_replay_killed_at_any_step_repeats_at_most_a_batch(tmp_path: Path) -> None:
    assert int(run_program(KILLED, tmp_path).splitlines()[-1]) > 20

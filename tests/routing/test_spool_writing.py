"""What was appended to the spool is there, whatever the process or the disk does next."""

import os
import re
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.spool.record import Damaged, line_of, record_in
from routing.spool.replay import replay
from routing.spool.writer import Spool, SpoolFull
from tests.routing.killing import run_program

KILLED = """
import os, sys
from pathlib import Path
from routing.spool.replay import replay
from routing.spool.writer import Spool
from tests.routing.killing import dies_at

base = Path(sys.argv[1])
RECORDS = [b"call %d" % i * 9 for i in range(4)]
at = 1
while True:
    directory = base / str(at)
    told, telling = os.pipe()
    def append_all(step):
        # Two files, the second begun in mid-course.
        spool = Spool(directory, limit=32 * 150)
        for i, record in enumerate(RECORDS):
            spool.append(record)
            os.writev(telling, [b"%d" % i])  # os.write would die in the middle
    died = dies_at(at, append_all)
    os.close(telling)
    acknowledged = [RECORDS[int(c)] for c in os.read(told, 100).decode()]
    os.close(told)
    found = []
    replay(directory, found.extend)
    # At most the one that was under way came as well.
    assert found[:len(acknowledged)] == acknowledged, (at, found)
    assert RECORDS[:len(found)] == found and len(found) <= len(acknowledged) + 1, (at, found)
    if not died:
        break
    at += 1
assert found == RECORDS
print(at)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "var" / "spool"


def replayed(directory: Path) -> list[bytes]:
    found: list[bytes] = []
    replay(directory, found.extend)
    return found


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


@given(st.binary())
def test_a_record_is_one_line_and_comes_back(record: bytes) -> None:
    line = line_of(record)
    assert line.find(b"\n") == len(line) - 1
    assert record_in(line) == record_in(line[:-1]) == record


@given(st.binary(max_size=50), st.data())
def test_a_line_with_any_byte_changed_is_damaged(record: bytes, data: st.DataObject) -> None:
    line = bytearray(line_of(record))
    line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        record_in(bytes(line))


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_records_are_replayed_as_they_were_appended(records: list[bytes]) -> None:
    with TemporaryDirectory() as directory:
        spool = Spool(Path(directory))
        for record in records:
            spool.append(record)
        assert replayed(Path(directory)) == records
        spool.close()


def test_only_its_owner_may_read_it(directory: Path) -> None:
    Spool(directory).append(b"call")
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in files(directory)} == {0o600}


def test_a_directory_open_to_others_is_closed(directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o755)
    Spool(directory).append(b"call")
    assert directory.stat().st_mode & 0o777 == 0o700


def test_nothing_is_made_before_the_first_record(directory: Path) -> None:
    Spool(directory).close()
    assert not directory.exists()


def test_a_file_is_named_by_time_host_and_process(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "web 1/a.example")
    spools = [Spool(directory) for _ in range(2)]
    for spool in spools:
        spool.append(b"call")
    names = [file.name for file in files(directory)]
    assert len(names) == 2
    for name in names:
        assert re.fullmatch(rf"\d{{20}}-web-1-a\.example-{os.getpid()}\.spool", name)


def test_it_is_on_disk_when_append_returns(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(directory)
    spool.append(b"first")
    steps: list[str] = []
    write, fsync = os.write, os.fsync

    def noted_write(descriptor: int, content: bytes) -> int:
        steps.append("write")
        return write(descriptor, content)

    def noted_sync(descriptor: int) -> None:
        steps.append("sync")
        fsync(descriptor)

    monkeypatch.setattr("os.write", noted_write)
    monkeypatch.setattr("os.fsync", noted_sync)
    spool.append(b"second")
    assert steps == ["write", "sync"]


@pytest.mark.parametrize(("room", "fits"), [(-1, False), (0, True), (1, True)])
def test_it_takes_what_its_limit_allows(directory: Path, room: int, fits: bool) -> None:  # noqa: FBT001
    first, second = b"1" * 50, b"2" * 60
    spool = Spool(directory, limit=len(line_of(first)) + len(line_of(second)) + room)
    spool.append(first)
    if fits:
        spool.append(second)
    else:
        with pytest.raises(SpoolFull, match="limit"):
            spool.append(second)
    assert replayed(directory) == [first, second] if fits else [first]


def test_the_limit_counts_the_files_of_all_processes(directory: Path) -> None:
    Spool(directory).append(b"x" * 500)
    with pytest.raises(SpoolFull):
        Spool(directory, limit=550).append(b"y" * 60)


def test_a_full_spool_takes_records_again_once_it_was_replayed(directory: Path) -> None:
    spool = Spool(directory, limit=3200)
    kept = []
    with pytest.raises(SpoolFull):  # noqa: PT012 - one of them is one too many
        for i in range(1000):
            spool.append(b"%050d" % i)
            kept.append(b"%050d" % i)
    assert replayed(directory) == kept
    spool.append(b"after")
    assert replayed(directory) == [b"after"]


def test_a_long_file_is_followed_by_a_new_one(directory: Path) -> None:
    spool = Spool(directory, limit=32 * 100)
    for i in range(6):
        spool.append(b"%041d" % i)  # two of these fill a file
    assert len(files(directory)) == 3
    assert replayed(directory) == [b"%041d" % i for i in range(6)]
    assert len(files(directory)) == 1  # the writer holds the last one


def test_a_deleted_file_is_followed_by_a_new_one(directory: Path) -> None:
    spool = Spool(directory)
    spool.append(b"lost")
    for file in files(directory):
        file.unlink()
    spool.append(b"kept")
    assert replayed(directory) == [b"kept"]


def test_a_deleted_directory_is_made_again(directory: Path) -> None:
    spool = Spool(directory)
    spool.append(b"lost")
    files(directory)[0].unlink()
    directory.rmdir()
    spool.append(b"kept")
    assert replayed(directory) == [b"kept"]


def refuse(*_given: object) -> int:
    raise OSError(5, "Input/output error")


def take_half(descriptor: int, content: bytes) -> int:
    return os.pwritev(descriptor, [content[: len(content) // 2]], 0)


@pytest.mark.parametrize(
    ("call", "mishap"), [("os.write", refuse), ("os.write", take_half), ("os.fsync", refuse)]
)
def test_a_disk_that_refuses_one_record_spoils_no_other(
    directory: Path, monkeypatch: pytest.MonkeyPatch, call: str, mishap: object
) -> None:
    spool = Spool(directory)
    spool.append(b"before")
    with monkeypatch.context() as broken:
        broken.setattr(call, mishap)
        with pytest.raises(OSError, match=r"error|part"):
            spool.append(b"refused")
    spool.append(b"after")
    assert [record for record in replayed(directory) if record != b"refused"] == [b"before", b"after"]


def test_a_disk_that_refuses_everything_is_not_littered(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(directory)
    monkeypatch.setattr("os.write", take_half)
    for _ in range(3):
        with pytest.raises(OSError, match="part"):
            spool.append(b"refused")
    assert files(directory) == []


def test_threads_that_wait_for_the_same_failed_sync_all_fail(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(directory)
    spool.append(b"first")
    written = threading.Semaphore(0)
    syncs: list[int] = []
    failures: list[OSError] = []
    real = os.write

    def write(descriptor: int, content: bytes) -> int:
        written.release()
        return real(descriptor, content)

    def fail_once_all_wrote(descriptor: int) -> None:
        # Asked again, a kernel may well say that all is written.
        syncs.append(descriptor)
        if len(syncs) == 1:
            for _ in range(4):
                assert written.acquire(timeout=10)
            raise OSError(5, "Input/output error")

    def append() -> None:
        try:
            spool.append(b"refused")
        except OSError as error:
            failures.append(error)

    monkeypatch.setattr("os.write", write)
    monkeypatch.setattr("os.fsync", fail_once_all_wrote)
    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == 4
    assert len(syncs) == 1


def test_four_threads_append_while_the_worker_replays(directory: Path) -> None:
    spool = Spool(directory, limit=32 * 2000)
    found: list[bytes] = []
    each = 60

    def append(thread: int) -> None:
        for i in range(each):
            spool.append(b"thread %d call %d" % (thread, i))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        replay(directory, found.extend, batch=7)
    replay(directory, found.extend)
    assert sorted(found) == sorted(b"thread %d call %d" % (t, i) for t in range(4) for i in range(each))
    for number in range(4):
        own = [record for record in found if record.startswith(b"thread %d " % number)]
        assert own == [b"thread %d call %d" % (number, i) for i in range(each)]
    spool.close()


def test_a_writer_killed_at_any_step_loses_nothing_acknowledged(tmp_path: Path) -> None:
    assert int(run_program(KILLED, tmp_path).splitlines()[-1]) > 20

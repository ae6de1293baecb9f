"""Logs never hold up who writes them: what nobody reads waits in memory, then is dropped and counted."""

import os
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from scripts.log_stream import LogStream

ROOM = 20_000
LINE = "x" * 99 + "\n"
# Linux' pipes take 64 kB, others less.
MORE_THAN_A_PIPE = 200_000


class Pipe:
    """Both ends of a pipe that nobody reads until told to."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self._open = {self.reading, self.writing}
        self._read: list[bytes] = []
        self._reader = threading.Thread(target=self._read_on)

    def close(self, *ends: int) -> None:
        for end in self._open & set(ends or self._open):
            os.close(end)
            self._open.discard(end)

    def read(self) -> None:
        """Read in the background until nobody writes any more."""
        self._reader.start()

    def all_read(self) -> str:
        """What was read; nobody writes any more."""
        self.close(self.writing)
        self._reader.join(10)
        return b"".join(self._read).decode()

    def _read_on(self) -> None:
        while data := os.read(self.reading, 65_536):
            self._read.append(data)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def fill(stream: LogStream, count: int) -> float:
    """Write lines; return how long the slowest took to be taken, in seconds."""
    slowest = 0.0
    for _ in range(count):
        began = time.monotonic()
        stream.write(LINE)
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def test_every_line_arrives_whole_and_in_order(pipe: Pipe) -> None:
    stream = LogStream(pipe.writing)
    lines = [f"{number} é\n" for number in range(3000)]
    for first in range(0, len(lines), 3):
        stream.write("".join(lines[first : first + 3]))
    pipe.read()
    stream.close(5)
    assert pipe.all_read() == "".join(lines)
    assert stream.dropped == 0


def test_a_reader_that_stopped_holds_up_nobody_and_what_was_dropped_is_told_later(pipe: Pipe) -> None:
    stream = LogStream(pipe.writing, room=ROOM)
    lines = (MORE_THAN_A_PIPE + ROOM) // len(LINE)
    with capture_logs() as told:
        assert fill(stream, lines) < 0.5
        assert stream.dropped > 0
        pipe.read()
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.005)
        stream.close(5)
    assert pipe.all_read().count(LINE) == lines - stream.dropped
    assert sum(line["lines"] for line in told if line["event"] == "log.lines_dropped") == stream.dropped


def test_room_that_was_read_free_is_used_again(pipe: Pipe) -> None:
    stream = LogStream(pipe.writing, room=ROOM)
    pipe.read()
    for _ in range(20):
        stream.write(LINE * (ROOM // len(LINE) // 2))
        deadline = time.monotonic() + 10
        while stream.waiting and time.monotonic() < deadline:
            time.sleep(0.001)
    assert stream.dropped == 0
    stream.close(5)
    pipe.all_read()


def test_a_reader_that_is_gone_costs_lines_and_nothing_else(pipe: Pipe) -> None:
    stream = LogStream(pipe.writing)
    pipe.close(pipe.reading)
    with capture_logs():
        fill(stream, 10)
        stream.close(5)
    assert stream.dropped == 10


def test_the_end_of_a_process_waits_a_moment_only(pipe: Pipe) -> None:
    stream = LogStream(pipe.writing)
    fill(stream, MORE_THAN_A_PIPE // len(LINE))
    began = time.monotonic()
    stream.close(0.05)
    assert time.monotonic() - began < 2
    pipe.read()
    stream.close(5)
    pipe.all_read()


def test_a_pipe_that_somebody_made_impatient_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    stream = LogStream(pipe.writing)
    lines = MORE_THAN_A_PIPE // len(LINE)
    fill(stream, lines)
    pipe.read()
    stream.close(10)
    assert pipe.all_read() == LINE * lines

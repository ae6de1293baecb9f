"""The load generator: posts prepared requests over kept connections and measures the answers.

It runs as a process of its own (`python -m scripts.bench.load ORDER`), so that its work is on
another core and in another interpreter than what it measures. HTTP is read as far as needed: status
line, length, body (RFC 9112); every answer is checked.
"""

import gc
import os
import selectors
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from pathlib import Path
from time import perf_counter, process_time

import msgspec

from scripts.bench.figures import percentile

_UNTIL_ANSWERED = 10.0
"""Seconds in which the last answers must come."""
_START_AND_STOP = 20.0
_CHUNK = 65_536
_OK = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it goes over the wire, and bytes that a right answer has in its body."""

    wire: bytes
    marker: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What to do. Without `rate` each connection asks again as soon as it is answered.

    `rate` is in requests/s, evenly spaced, whether earlier ones are answered or not; latency then
    counts from the instant a request was due.
    """

    port: int
    requests: str
    """Path of a file written by `write_requests`."""
    seconds: float
    connections: int = 8
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of an order; latencies in milliseconds."""

    answers: int
    seconds: float
    cpu_seconds: float
    """Of the generator itself."""
    p50: float
    p99: float
    worst: float
    wrong: int
    complaint: str
    """About the first wrong answer."""

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class LoadFailed(Exception):
    """The server closed a connection or did not answer; the message says which."""


def write_requests(path: Path, requests: Sequence[Prepared]) -> None:
    path.write_bytes(msgspec.msgpack.encode(requests))


def run_load(order: Order, cores: set[int]) -> Measured:
    """Have the order done by a process of its own on `cores`; raise `LoadFailed`."""
    patience = order.seconds + _UNTIL_ANSWERED + _START_AND_STOP
    words = [sys.executable, "-m", "scripts.bench.load", msgspec.json.encode(order).decode()]
    words += map(str, sorted(cores))
    try:
        done = subprocess.run(words, capture_output=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"the load generator was not done after {patience:.0f} s") from error
    if done.returncode:
        raise LoadFailed(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return msgspec.json.decode(done.stdout, type=Measured)


def generate(order: Order, requests: Sequence[Prepared]) -> Measured:
    """Send the requests in turn, again and again, for `order.seconds`; raise `LoadFailed`."""
    connections = [_Connection(order.port) for _ in range(order.connections)]
    try:
        return _Run(order, requests, connections).go()
    finally:
        for connection in connections:
            connection.socket.close()


class _Connection:
    """One kept connection with at most one request in flight."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_UNTIL_ANSWERED)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.marker = b""
        self.due = 0.0
        self._received = b""

    def send(self, request: Prepared, due: float) -> None:
        self.marker, self.due, self._received = request.marker, due, b""
        self.socket.sendall(request.wire)

    def answer(self) -> tuple[bytes, bytes] | None:
        """Read what is there: head and body once they are complete."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise LoadFailed("the server closed a connection")
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = _length_in(head)
        return (head, body) if len(body) >= length else None


class _Run:
    def __init__(self, order: Order, requests: Sequence[Prepared], connections: list[_Connection]) -> None:
        self._order = order
        self._requests = cycle(requests)
        self._idle = deque(connections)
        # select(2) waits to the microsecond, epoll in Python to the millisecond.
        self._selector = selectors.SelectSelector()
        for connection in connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._in_flight = 0
        self._latencies: list[float] = []
        self._wrong = 0
        self._complaint = ""
        self._sent = 0
        self._total = ceil(order.rate * order.seconds) if order.rate else None

    def go(self) -> Measured:
        cpu, began = process_time(), perf_counter()
        end = began + self._order.seconds
        while True:
            now = perf_counter()
            wait = self._send_what_is_due(began, end, now)
            if wait is None and not self._in_flight:
                break
            if now > end + _UNTIL_ANSWERED:
                raise LoadFailed(f"{self._in_flight} requests were not answered")
            self._receive(_UNTIL_ANSWERED if wait is None else wait)
        return Measured(
            answers=len(self._latencies),
            seconds=perf_counter() - began,
            cpu_seconds=process_time() - cpu,
            p50=percentile(self._latencies, 0.50) * 1000,
            p99=percentile(self._latencies, 0.99) * 1000,
            worst=max(self._latencies) * 1000,
            wrong=self._wrong,
            complaint=self._complaint,
        )

    def _send_what_is_due(self, began: float, end: float, now: float) -> float | None:
        """Return the seconds until more is due, None where nothing more will be sent."""
        rate, total = self._order.rate, self._total
        while total is None or self._sent < total:
            if total is None and now >= end:
                return None
            due = now if rate is None else began + self._sent / rate
            if due > now:
                return due - now
            if not self._idle:
                return _UNTIL_ANSWERED
            connection = self._idle.popleft()
            connection.send(next(self._requests), due)
            self._in_flight += 1
            self._sent += 1
        return None

    def _receive(self, wait: float) -> None:
        for key, _ in self._selector.select(wait):
            connection: _Connection = key.data
            answer = connection.answer()
            if answer is None:
                continue
            self._latencies.append(perf_counter() - connection.due)
            head, body = answer
            if not head.startswith(_OK) or connection.marker not in body:
                self._wrong += 1
                self._complaint = self._complaint or head.partition(b"\r\n")[0].decode("latin-1")
            self._in_flight -= 1
            self._idle.append(connection)


def _length_in(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise LoadFailed("an answer did not tell its length")
    return int(rest.partition(b"\r\n")[0])


def main() -> None:
    """Do the order in the first argument on the cores in the others; print what was measured as JSON."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    os.sched_setaffinity(0, map(int, sys.argv[2:]))
    requests = msgspec.msgpack.decode(Path(order.requests).read_bytes(), type=list[Prepared])
    gc.freeze()
    try:
        measured = generate(order, requests)
    except (LoadFailed, OSError) as error:
        sys.exit(f"the load generator failed: {error}")
    sys.stdout.buffer.write(msgspec.json.encode(measured))


if __name__ == "__main__":
    main()

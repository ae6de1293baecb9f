"""The load generator, against a tiny server of the standard library."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.bench.load import LoadFailed, Measured, Order, Prepared, generate, run_load, write_requests

BODY = b"<Response><Dial>+13005550100</Dial></Response>"


def a_request(name: str = "CA1", marker: bytes = b"<Dial") -> Prepared:
    body = f"CallSid={name}".encode()
    head = f"POST /voice HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
    return Prepared(head.encode() + body, marker)


class Answering(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(
        self, status: int = 200, body: bytes = BODY, *, length: bool = True, fail_after: int = -1
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.length, self.fail_after = status, body, length, fail_after
        self.asked: list[str] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(received.decode())
        if len(self.server.asked) == self.server.fail_after:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        if self.server.length:
            self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        # In two pieces, as servers send heads and bodies.
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(server: Answering) -> Iterator[Answering]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def an_order(
    server: Answering,
    *,
    seconds: float = 0.2,
    connections: int = 3,
    rate: float | None = None,
    requests: Path = Path(),
) -> Order:
    return Order(server.port, str(requests), seconds, connections, rate)


def test_at_full_speed_every_request_is_answered_and_counted() -> None:
    with running(Answering()) as server:
        measured = generate(an_order(server), [a_request()])
        assert measured.answers == len(server.asked) > 3
    assert measured.wrong == 0
    assert 0 < measured.p50 <= measured.p99
    assert measured.seconds >= 0.2
    assert measured.per_second == measured.answers / measured.seconds


def test_requests_are_sent_in_turn_and_again() -> None:
    requests = [a_request(f"CA{turn}") for turn in range(3)]
    with running(Answering()) as server:
        generate(an_order(server, connections=1), requests)
        assert server.asked[:6] == [f"CallSid=CA{turn}" for turn in (0, 1, 2, 0, 1, 2)]


def test_at_a_rate_exactly_what_is_due_is_sent() -> None:
    with running(Answering()) as server:
        measured = generate(an_order(server, rate=50, seconds=0.4), [a_request()])
        assert len(server.asked) == measured.answers == 20
    # The last one is due when 19 of 20 gaps have passed.
    assert measured.seconds >= 0.38


def test_a_server_that_cannot_keep_the_rate_shows_in_the_latency() -> None:
    with running(Answering()) as server:
        measured = generate(an_order(server, rate=1_000_000, seconds=0.0002), [a_request()])
    assert measured.answers == 200
    assert measured.p99 > measured.p50


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (503, BODY, "HTTP/1.1 503 Service Unavailable"),
        (200, b"<Response><Reject/></Response>", "HTTP/1.1 200 OK"),
    ],
)
def test_wrong_answers_are_counted_and_the_first_is_told(status: int, body: bytes, complaint: str) -> None:
    with running(Answering(status, body)) as server:
        measured = generate(an_order(server), [a_request()])
    assert measured.wrong == measured.answers > 0
    assert measured.complaint == complaint


def test_a_server_that_hangs_up_fails_the_load() -> None:
    with running(Answering(fail_after=2)) as server, pytest.raises(LoadFailed, match="closed a connection"):
        generate(an_order(server), [a_request()])


def test_an_answer_without_its_length_fails_the_load() -> None:
    with running(Answering(length=False)) as server, pytest.raises(LoadFailed, match="length"):
        generate(an_order(server), [a_request()])


def test_a_process_of_its_own_reads_the_requests_and_reports(tmp_path: Path) -> None:
    file = tmp_path / "requests"
    write_requests(file, [a_request("CA1"), a_request("CA2")])
    with running(Answering()) as server:
        measured = run_load(an_order(server, requests=file), os.sched_getaffinity(0))
        assert isinstance(measured, Measured)
        assert measured.answers == len(server.asked) > 0
        assert {"CallSid=CA1", "CallSid=CA2"} == set(server.asked)


def test_the_failure_of_that_process_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "requests"
    write_requests(file, [a_request()])
    with running(Answering(fail_after=1)) as server, pytest.raises(LoadFailed, match="closed a connection"):
        run_load(an_order(server, requests=file), os.sched_getaffinity(0))

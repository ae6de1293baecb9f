"""The soak's carrier asks again, and then the fallback, as a carrier does that is set up as documented."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from scripts.settings import Secret, TwilioAccount
from scripts.soak.answers import APOLOGY, REJECTED
from scripts.soak.carrier import Carrier
from scripts.soak.ledger import Heard

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
REJECT = b"<Response><Reject/></Response>"
SORRY = b"<Response><Say>Sorry</Say><Hangup/></Response>"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
HANGS_UP = b""
CUT = OK % 999 + REJECT


def ok(body: bytes) -> bytes:
    return OK % len(body) + body


@contextmanager
def a_server(replies: Sequence[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Answers each connection with the next reply; tells the paths that it was asked for."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for reply in replies:
                peer, _ = listener.accept()
                with peer:
                    asked.append(peer.recv(65_536).split(b" ")[1].decode())
                    peer.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join()


def ring(port: int) -> Heard:
    account = TwilioAccount("AC" + "0" * 32, Secret("token"), None, "https://api.twilio.com")
    return asyncio.run(Carrier(port, account, "https://calls.example.com").ring({"CallSid": "CA1"}))


@pytest.mark.parametrize(
    ("replies", "heard"),
    [
        ([ok(REJECT)], (REJECTED, 1, False)),
        ([HANGS_UP, ok(REJECT)], (REJECTED, 2, False)),
        ([CUT, ok(REJECT)], (REJECTED, 2, False)),
        ([FAILED, ok(REJECT)], (REJECTED, 2, False)),
        ([FAILED, FAILED, ok(SORRY)], (APOLOGY, 2, True)),
        ([REFUSED, ok(SORRY)], (APOLOGY, 1, True)),
        ([FAILED, FAILED, REFUSED], (None, 2, True)),
    ],
)
def test_what_the_caller_hears_after_retry_and_fallback(
    replies: list[bytes], heard: tuple[object, int, bool]
) -> None:
    with a_server(replies) as (port, asked):
        one = ring(port)
    assert (one.answer, one.attempts, one.fell_back) == heard
    assert asked[-1].endswith("fallback" if one.fell_back else "voice")


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert ring(port).answer is None

"""One attempt, against receivers that behave in every way there is."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.services.apart import apart
from tests.services.ports import free_port
from tests.services.receiver import Flood, Receiver, answering, dripping, hanging, resetting, saying
from webhooks.outgoing.addresses import AddressRules
from webhooks.outgoing.sending import Answer, Sender

CERTIFICATE = Path(__file__).parent / "self-signed.pem"
"""Of localhost, with its key, for nothing but these tests; valid for a hundred years."""
LOOPBACK = AddressRules([ip_network("127.0.0.0/8")])


def post(
    address: str, rules: AddressRules = LOOPBACK, timeout: float = 5.0, body: bytes = b"{}", **said: object
) -> Answer:
    sender = Sender(rules, "Hookswitch/test", timeout=timeout, **said)  # type: ignore[arg-type]
    try:
        return apart(lambda: asyncio.run(sender.post(address, {"webhook-id": "msg_1"}, body)))
    finally:
        sender.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def test_what_is_sent_is_plain_http(receiver: Receiver) -> None:
    assert post(receiver.address, body=b'{"type": "x"}') == Answer(204, None, "")
    (request,) = receiver.received
    assert request.request_line == "POST /hooks?from=hookswitch HTTP/1.1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Hookswitch/test"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.body == b'{"type": "x"}'


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(receiver: Receiver, status: int) -> None:
    receiver.behaviour = answering(status, b"thanks")
    assert post(receiver.address) == Answer(status, None, "thanks")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_every_other_answer_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.behaviour = answering(status, b"no")
    assert post(receiver.address) == Answer(status, f"it answered {status}", "no")


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    with Receiver() as elsewhere:
        receiver.behaviour = answering(status, Location=elsewhere.address)
        answer = post(receiver.address)
        assert elsewhere.connections == 0
    assert (answer.status, answer.problem) == (status, f"it answered {status}; redirects are not followed")


def test_who_says_nothing_is_given_up_in_time(receiver: Receiver) -> None:
    receiver.behaviour = hanging
    began = time.monotonic()
    assert post(receiver.address, timeout=0.3) == Answer(None, "no answer within 0.3 seconds")
    assert time.monotonic() - began < 2


def test_a_slow_drip_does_not_hold_up_the_end(receiver: Receiver) -> None:
    receiver.behaviour = dripping
    began = time.monotonic()
    assert post(receiver.address, timeout=0.5).problem == "no answer within 0.5 seconds"
    assert time.monotonic() - began < 3


def test_of_an_answer_without_end_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.behaviour = flood = Flood()
    began = time.monotonic()
    assert post(receiver.address) == Answer(200, None, "x" * 500)
    assert time.monotonic() - began < 3
    assert flood.sent < 20_000_000  # what fits between the two of them


@pytest.mark.parametrize(
    ("whole", "problem"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "what it answered is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 20\r\n\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "what it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: y", "the connection was closed or refused"),
        (b"", "the connection was closed or refused"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999, "the head of its answer is too long"),
    ],
)
def test_what_is_no_answer_is_a_failure(receiver: Receiver, whole: bytes, problem: str) -> None:
    receiver.behaviour = saying(whole)
    assert post(receiver.address) == Answer(None, problem)


def test_hints_before_the_answer_are_no_answer(receiver: Receiver) -> None:
    receiver.behaviour = saying(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    )
    assert post(receiver.address) == Answer(202, None, "")


def test_a_body_in_chunks_is_put_together(receiver: Receiver) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    receiver.behaviour = saying(head + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
    assert post(receiver.address).body == "hello world"


def test_a_reset_and_a_closed_port_are_failures(receiver: Receiver) -> None:
    receiver.behaviour = resetting
    assert post(receiver.address).problem == "the connection was closed or refused"
    assert post(f"http://127.0.0.1:{free_port()}/").problem == "the connection was closed or refused"


@pytest.mark.parametrize(("said", "seconds"), [("120", 120), ("0", 0)])
def test_patience_may_be_asked_for_in_seconds(receiver: Receiver, said: str, seconds: int) -> None:
    receiver.behaviour = answering(429, Retry_After=said)
    assert post(receiver.address).retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "patience"), [(3600, 3600), (-3600, 0)])
def test_patience_may_be_asked_for_by_a_date(receiver: Receiver, seconds: int, patience: int) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    receiver.behaviour = answering(503, Retry_After=until)
    asked = post(receiver.address).retry_after
    assert asked is not None
    assert abs(asked.total_seconds() - patience) < 30


@pytest.mark.parametrize("said", ["soon", "-1", ""])
def test_patience_that_cannot_be_read_is_not_asked_for(receiver: Receiver, said: str) -> None:
    receiver.behaviour = answering(429, Retry_After=said)
    assert post(receiver.address).retry_after is None


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://127.0.0.1:{port}/",
    ],
)
def test_nothing_connects_where_it_may_not(receiver: Receiver, address: str) -> None:
    answer = post(address.format(port=receiver.port), AddressRules())
    assert answer.status is None
    assert answer.problem is not None
    assert answer.problem.startswith("the address ")
    assert receiver.connections == 0


def test_a_name_that_means_something_else_a_moment_later_gains_nothing(receiver: Receiver) -> None:
    """Rebinding: public when it is saved, this machine when it is connected to."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    address = f"https://rebound.example.com:{receiver.port}/"
    assert AddressRules().refusal(address, rebinding) is None
    answer = post(address, AddressRules(), resolve=rebinding)
    assert answer.problem == "the address leads to a network that is not public; give a public address"
    assert receiver.connections == 0


def test_the_connection_goes_to_the_very_address_that_was_checked(receiver: Receiver) -> None:
    asked = []

    def once(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    assert post(f"http://crm.example.com:{receiver.port}/", resolve=once) == Answer(204, None, "")
    assert asked == ["crm.example.com"]
    assert receiver.received[0].headers["host"] == f"crm.example.com:{receiver.port}"


def test_the_next_address_is_tried_where_the_first_does_not_answer(receiver: Receiver) -> None:
    answer = post(
        f"http://crm.example.com:{receiver.port}/", resolve=lambda _host, _port: ["127.0.0.9", "127.0.0.1"]
    )
    assert answer == Answer(204, None, "")


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    answer = post("https://nowhere.example.com/", resolve=fail)
    assert answer.problem == "cannot be reached (Name or service not known)"


def own_tls() -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    return tls


def test_a_certificate_that_somebody_vouches_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Receiver(tls=own_tls()) as listening:
        assert post(listening.address) == Answer(204, None, "")
        elsewhere = post(
            listening.address.replace("127.0.0.1", "crm.example.com"), resolve=lambda *_: ["127.0.0.1"]
        )
    assert elsewhere.problem is not None
    assert elsewhere.problem.startswith("its certificate is not valid: Hostname mismatch")


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with Receiver(tls=own_tls()) as listening:
        answer = post(listening.address)
        assert answer.status is None
        assert answer.problem is not None
        assert answer.problem.startswith("its certificate is not valid")
        assert listening.received == []


def test_one_that_speaks_no_tls_is_a_failure(receiver: Receiver) -> None:
    assert post(receiver.address.replace("http:", "https:"), timeout=0.5).status is None
    assert receiver.received == []

"""`hookswitch call`: plays the carrier against a running server, and says what it heard and why."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from models.call import recent
from routing.numbers import PhoneNumber
from scripts.settings import Secret, TwilioAccount
from tests.builders import NOW, a_campaign, a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation, Outcome, Server, answering
from tests.services.ports import free_port
from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, Switchboard, settings_for

LIVE = "+15005550100"
PUBLIC = "https://calls.example.com"
Started = Callable[..., Switchboard]


@pytest.fixture
def server(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that the environment names as ours; it serves nothing yet."""
    with Server() as server:
        monkeypatch.setenv("PUBLIC_BASE_URL", server.origin)
        yield server


@pytest.fixture
def started(
    server: Server, installation: Installation, sqlite_url: str, redis_server: RedisServer, tmp_path: Path
) -> Iterator[Started]:
    """Start the switchboard on the server, with settings changed as told."""
    made: list[Switchboard] = []

    def start(**changes: object) -> Switchboard:
        stores = {"database_url": sqlite_url, "redis_url": redis_server.url, "public_base_url": server.origin}
        board = Switchboard(settings_for(var=tmp_path, **(stores | changes)), installation.redis)
        made.append(board)
        server.application = board.web.application
        return board

    yield start
    for board in made:
        board.close()


def twiml(told: Outcome) -> ET.Element:
    """The document above the explanation."""
    document, end, _ = told.out.rpartition("</Response>")
    return ET.fromstring(document + end)


def test_it_prints_the_twiml_and_why(started: Started, installation: Installation, typed: Typed) -> None:
    started()
    installation.load_demo()
    told = typed("call", LIVE)
    assert (told.status, told.err) == (0, "")
    assert twiml(told).findtext("Dial/Number") == "+14155550190"
    assert "connect (live): the campaign has begun" in told.out


@pytest.mark.parametrize(
    ("number", "verbs"),
    [
        ("+15005550101", {"Dial"}),
        ("+15005550103", {"Say", "Pause", "Hangup"}),
        ("+15005550107", {"Reject"}),
        ("+15005550109", {"Reject"}),
        ("+15005550110", {"Reject"}),
        ("+15005550111", {"Reject"}),
        ("+15005550112", {"Reject"}),
        ("+15005550113", {"Reject"}),
        ("+15005550199", {"Reject"}),
    ],
)
def test_every_state_of_the_demo_can_be_rung(
    started: Started, installation: Installation, typed: Typed, number: str, verbs: set[str]
) -> None:
    started()
    installation.load_demo()
    told = typed("call", number, "--json").json
    assert {verb.tag for verb in ET.fromstring(told["twiml"])} <= verbs
    assert set(told) == {"call_sid", "twiml", "decision", "reason", "rule"}


def test_the_call_is_in_the_log(started: Started, installation: Installation, typed: Typed) -> None:
    board = started()
    installation.load_demo()
    sid = typed("call", LIVE, "--from", "anonymous", "--json").json["call_sid"]
    board.drain()
    with installation.database.reading() as session:
        (call,) = recent(session, 10)
    assert (call.call_sid, call.caller, call.decision) == (sid, None, "connect")


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        (NOW - timedelta(seconds=1), ("Dial", "live")),
        (NOW, ("Reject", "ended")),
        (NOW + timedelta(seconds=1), ("Reject", "ended")),
    ],
)
def test_a_call_can_be_played_at_any_instant(
    started: Started, installation: Installation, typed: Typed, at: datetime, answer: tuple[str, str]
) -> None:
    started()
    with installation.database.session() as session:
        a_number(session, PhoneNumber(LIVE), a_campaign(session, ends_at=NOW))
    installation.rebuild_index()
    told = typed("call", LIVE, "--at", at.isoformat(), "--json").json
    (verb,) = ET.fromstring(told["twiml"])
    assert (verb.tag, told["reason"]) == answer


def test_a_public_installation_is_rung_through_any_of_its_origins_but_not_at_another_instant(
    started: Started,
    server: Server,
    installation: Installation,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started(public_base_url=PUBLIC)
    installation.load_demo()
    monkeypatch.setenv("PUBLIC_BASE_URL", PUBLIC)
    assert typed("call", LIVE, "--url", server.origin + "/").status == 0
    told = typed("call", LIVE, "--at", NOW.isoformat(), "--url", server.origin)
    assert (told.status, told.out) == (2, "")
    assert "--at works on a local installation only" in told.complaint


def test_a_refused_signature_is_explained(started: Started, installation: Installation, typed: Typed) -> None:
    started(twilio=TwilioAccount(ACCOUNT, Secret("another" + TOKEN), None, "https://api.twilio.com"))
    told = typed("call", LIVE)
    assert (told.status, told.out) == (1, "")
    assert "answered 403: signature or account refused; do this command and the server" in told.complaint


def test_a_refused_account_is_explained(started: Started, installation: Installation, typed: Typed) -> None:
    started(twilio=TwilioAccount("AC" + "9" * 32, Secret(TOKEN), None, "https://api.twilio.com"))
    assert "answered 403: signature or account refused" in typed("call", LIVE).complaint


def test_a_server_that_is_not_there_is_told_in_one_line(installation: Installation, typed: Typed) -> None:
    told = typed("call", LIVE, "--url", f"http://127.0.0.1:{free_port()}")
    assert (told.status, told.out) == (1, "")
    assert told.complaint.endswith("(ConnectionError); is the server running?")


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        ("404 Not Found", "answered 404: the server does not take this for a call"),
        ("302 Found", "answered 302: the server does not take this for a call"),
        ("502 Bad Gateway", "answered 502: the server does not take this for a call"),
        ("200 OK", "answered 200, but not with TwiML; is it ours?"),
    ],
)
def test_a_server_that_is_not_ours_is_told_in_one_line(
    server: Server, typed: Typed, status: str, complaint: str
) -> None:
    server.application = answering(status, b"<p>Welcome to nginx!<br>")
    told = typed("call", LIVE)
    assert (told.status, told.out) == (1, "")
    assert told.complaint.endswith(complaint)


def test_a_proxy_of_this_machine_is_not_asked_for_this_machine(
    started: Started, installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    started()
    installation.load_demo()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert typed("call", LIVE).status == 0


def test_the_answer_is_shown_even_where_the_stores_cannot_be_read_from_here(
    started: Started, installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    started()
    installation.load_demo()
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/hookswitch.db")
    told = typed("call", LIVE, "--json")
    assert told.status == 0
    assert ET.fromstring(told.json["twiml"]).find("Dial") is not None
    assert told.json["reason"] == "unavailable"

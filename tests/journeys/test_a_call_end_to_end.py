"""A call from the carrier's request to the call log, through the processes that production runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import redis
import requests
from twilio.request_validator import RequestValidator

from models.call import Call, recent
from models.campaign import Campaign
from models.database import Database
from routing.encoding import decode_campaign, decode_number
from routing.index.layout import Layout
from routing.journal import Journal
from tests.builders import BUSINESS, TRACKING, a_campaign, a_number
from tests.services.commands import ROOT, Command
from tests.services.ports import free_port
from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, VOICE, a_call

Start = Callable[[str], Command]


class Carrier:
    """Rings a running server as Twilio does, and looks whether it runs."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def ring(self, form: dict[str, str]) -> ET.Element:
        """Deliver the webhook of one call; return the TwiML."""
        signature = RequestValidator(TOKEN).compute_signature(self.origin + VOICE, form)
        answer = requests.post(
            self.origin + VOICE, data=form, headers={"X-Twilio-Signature": signature}, timeout=15
        )
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        return ET.fromstring(answer.content)

    def is_ready(self) -> bool:
        return (self._page("/readyz") or "").startswith("index: ok\ndatabase: ok\n")

    def is_alive(self) -> bool:
        return self._page("/healthz") == "alive\n"

    def _page(self, path: str) -> str | None:
        try:
            return requests.get(self.origin + path, timeout=5).text
        except requests.ConnectionError:
            return None


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


@pytest.fixture
def live(database: Database) -> int:
    """The id of a live campaign that `TRACKING` is on."""
    with database.session() as session:
        campaign = a_campaign(session, external_id="LEAFLET-1")
        a_number(session, TRACKING, campaign)
    return campaign.id


@pytest.fixture
def start(carrier: Carrier, tmp_path: Path) -> Iterator[Start]:
    """Start one of our commands in the carrier's installation."""
    with ExitStack() as running:
        yield lambda name: running.enter_context(Command(name, tmp_path))


@pytest.fixture
def carrier(
    live: int,
    postgres_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> Carrier:
    """The carrier of an installation that is set up in the environment and not started yet."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    environment = {
        "SECRET_KEY": "k" * 32,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_server.url,
        "PUBLIC_BASE_URL": origin,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(ROOT),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Carrier(origin)


def logged(database: Database) -> dict[str, Call]:
    with database.reading() as session:
        return {call.call_sid: call for call in recent(session, 100)}


def test_a_call_is_answered_logged_with_its_facts_and_follows_the_next_edit(
    carrier: Carrier, database: Database, live: int, start: Start, redis_client: redis.Redis
) -> None:
    worker = start("worker")
    web = start("serve")
    web.wait_until(carrier.is_ready)

    first = a_call(TRACKING.e164, FromCity="Zoë's town")
    assert carrier.ring(first).findtext("Dial/Number") == BUSINESS.e164
    carrier.ring(first)  # the carrier repeats itself

    worker.wait_until(lambda: logged(database))
    (call,) = logged(database).values()
    assert (call.call_sid, call.tracking_number) == (first["CallSid"], TRACKING)
    assert (call.decision, call.reason, call.destination) == ("connect", "live", BUSINESS)
    assert (call.campaign_id, call.campaign_external_id) == (live, "LEAFLET-1")
    assert (call.caller_city, call.source) == ("Zoë's town", "index")
    assert call.facts is not None
    assert decode_campaign(call.facts["campaign"].encode()).campaign_id == live
    assert decode_number(TRACKING, call.facts["number"].encode()).campaign_id == live

    # Whoever edits may die right after the commit: the worker publishes within a second.
    with database.session() as session:
        session.get_one(Campaign, live).enabled = False
    committed = time.monotonic()
    web.wait_until(lambda: carrier.ring(a_call(TRACKING.e164)).find("Reject") is not None)
    assert time.monotonic() - committed < 1

    last = a_call(TRACKING.e164)
    assert carrier.ring(last).find("Reject") is not None
    worker.wait_until(lambda: last["CallSid"] in logged(database))
    rejected = logged(database)[last["CallSid"]]
    assert (rejected.decision, rejected.reason, rejected.destination) == ("reject", "paused", None)

    assert web.stop() == 0
    assert worker.stop() == 0
    assert Journal(redis_client, Layout()).length() == 0
    assert {event["event"] for event in worker.events} == {
        "worker.started",
        "index.rebuilt",
        "worker.stopped",
    }
    assert {event["event"] for event in web.events} == {"call.answered"}
    answered = [event for event in web.events if event["call_sid"] == first["CallSid"]]
    assert len(answered) == 2
    assert (answered[0]["decision"], answered[0]["reason"], answered[0]["source"]) == (
        "connect",
        "live",
        "index",
    )
    for number in (TRACKING, BUSINESS):
        assert number.e164 not in worker.output


def test_calls_that_no_worker_saw_are_logged_once_when_one_is_back(
    carrier: Carrier, database: Database, start: Start, redis_client: redis.Redis
) -> None:
    web = start("serve")
    web.wait_until(carrier.is_alive)
    forged = requests.post(carrier.origin + VOICE, data=a_call(TRACKING.e164), timeout=15)
    assert (forged.status_code, forged.content) == (403, b"")
    calls = [a_call(TRACKING.e164) for _ in range(20)]
    for form in calls:
        assert carrier.ring(form).find("Dial") is not None  # from the database: there is no index yet
    assert web.stop() == 0
    assert Journal(redis_client, Layout()).length() == 20
    assert logged(database) == {}

    worker = start("worker")
    worker.wait_until(lambda: len(logged(database)) == 20)
    assert worker.stop() == 0
    assert set(logged(database)) == {form["CallSid"] for form in calls}
    assert {call.source for call in logged(database).values()} == {"database"}

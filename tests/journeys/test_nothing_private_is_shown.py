"""After a day's trouble: no log line, metric or report of ours has a secret or a whole phone number in it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from sqlalchemy.engine import make_url
from twilio.request_validator import RequestValidator

from models.database import Database
from routing.numbers import PhoneNumber
from tests.builders import a_campaign, a_number
from tests.services.commands import ROOT, Command
from tests.services.ports import free_port
from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import ACCOUNT, a_call

CALLER, FORWARDED = "+14155550142", "+13035550199"
TRACKING, DESTINATION, UNKNOWN = "+15005550100", "+12125550123", "+15005558888"
PRIVATE = {
    "SECRET_KEY": "secret-key-secret-key-secret-key-",
    "TWILIO_AUTH_TOKEN": "auth-token-of-the-carrier",
    "TWILIO_AUTH_TOKEN_SECONDARY": "another-token-of-the-carrier",
}
PASSWORDS = {"redis": "redis-pass-word", "sql": "sql-pass-word"}
CALL_TOKEN = "call-token-that-would-let-anybody-place-calls"


@dataclass
class Day:
    """A running installation, and all that it showed to anybody."""

    origin: str
    metrics: str
    redis: RedisServer
    web: Command
    worker: Command
    shown: list[str]

    def send(self, event: str, token: str = PRIVATE["TWILIO_AUTH_TOKEN"], **fields: str) -> int:
        form = a_call(TRACKING, CallToken=CALL_TOKEN, ForwardedFrom=FORWARDED) | {"From": CALLER} | fields
        path = f"/webhooks/twilio/{event}"
        signature = RequestValidator(token).compute_signature(self.origin + path, form)
        headers = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = requests.post(self.origin + path, urlencode(form), headers=headers, timeout=15)
        return answer.status_code

    def scrape(self) -> str:
        page = requests.get(self.metrics, timeout=15).text
        self.shown.append(page)
        return page


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch, postgres_url: str, tmp_path: Path) -> Iterator[Day]:
    """The worker logs for people, the web for a collector."""
    port, metrics_port = free_port(), free_port()
    database = Database(postgres_url)
    with database.session() as session:
        campaign = a_campaign(session, destination=PhoneNumber(DESTINATION))
        a_number(session, PhoneNumber(TRACKING), campaign)
    database.dispose()
    with RedisServer() as redis, ExitStack() as running:
        with redis.client() as client:
            client.config_set("requirepass", PASSWORDS["redis"])
        sql = make_url(postgres_url).set(password=PASSWORDS["sql"])
        given = PRIVATE | {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "DATABASE_URL": sql.render_as_string(hide_password=False),
            "REDIS_URL": redis.url.replace("redis://", f"redis://:{PASSWORDS['redis']}@"),
            "PORT": str(port),
            "METRICS_ADDRESS": f"127.0.0.1:{metrics_port}",
            "WEB_CONCURRENCY": "1",
            "LOG_LEVEL": "DEBUG",
            "PYTHONPATH": str(ROOT),
        }
        for name in [*os.environ]:
            if name not in {"PATH", "HOME"}:
                monkeypatch.delenv(name)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        worker = running.enter_context(Command("worker", tmp_path))
        monkeypatch.setenv("LOG_FORMAT", "json")
        web = running.enter_context(Command("serve", tmp_path))
        origin = f"http://127.0.0.1:{port}"
        web.wait_until(lambda: _is_ready(origin))
        worker.wait_until(lambda: "index.rebuilt" in worker.output)
        yield Day(origin, f"http://127.0.0.1:{metrics_port}/metrics", redis, web, worker, [])


def _is_ready(origin: str) -> bool:
    try:
        return requests.get(origin + "/readyz", timeout=5).text.startswith("index: ok")
    except requests.ConnectionError:
        return False


def test_no_log_and_no_metric_has_a_secret_or_a_whole_number(day: Day, tmp_path: Path) -> None:
    assert day.send("voice") == 200
    assert day.send("voice", To=UNKNOWN) == 200
    assert day.send("voice", To="sip:" + CALLER + "@example.com") == 200
    assert day.send("voice", From="anonymous") == 200
    assert day.send("voice", token=PRIVATE["TWILIO_AUTH_TOKEN_SECONDARY"]) == 200
    assert day.send("voice", token="forged") == 403
    assert day.send("voice", AccountSid="AC" + "9" * 32) == 403
    assert day.send("voice", CallSid=CALLER) == 400
    assert day.send("dial", DialCallStatus="busy", DialCallSid="CA" + "2" * 32) == 200
    assert day.send("status", CallStatus="completed", CallDuration="x" + CALLER) == 204
    assert day.send("status", CallStatus=CALLER) == 204
    recorded = {"RecordingStatus": "completed", "RecordingSid": "RE" + "1" * 32}
    assert day.send("recording", RecordingUrl="https://x/" + CALLER, **recorded) == 204
    assert day.send("recording", RecordingUrl="https://x/" + CALLER) == 400
    assert day.send("fallback", ErrorCode="11200", ErrorUrl="https://x/" + CALLER) == 200
    day.scrape()
    day.redis.stop()
    assert day.send("voice") == 200
    assert day.send("dial", DialCallStatus="no-answer") == 200
    day.scrape()
    day.web.wait_until(lambda: "index.unreachable" in day.web.output)
    doctor = Command("doctor", tmp_path)
    with doctor:
        assert doctor.wait(30) == 1
    day.redis.start()
    assert day.web.stop() == 0
    assert day.worker.stop() == 0
    day.shown += [day.web.output, day.worker.output, doctor.output]
    shown = "\n".join(day.shown)
    # It is about this day, and not about silence.
    assert shown.count("call.answered") >= 6
    assert "hookswitch_webhooks_refused_total" in shown
    assert "+1415•••0142" in shown
    for secret in (*PRIVATE.values(), *PASSWORDS.values(), CALL_TOKEN):
        assert secret not in shown
    for number in (CALLER, FORWARDED, TRACKING, DESTINATION, UNKNOWN):
        assert number[1:] not in shown
        assert number[-7:] not in shown

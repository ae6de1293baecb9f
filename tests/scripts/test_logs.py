"""Logs: one event a line in either form, and never a phone number, a token or a password."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.installation import SECRETS
from tests.services.commands import ROOT

PASSWORD = "horse-battery"
NUMBERS = ("+15005550100", "+14155550142", "+13035550199")
LOGGING = """
import logging, sys
import structlog
from routing.numbers import PhoneNumber
from scripts.logs import set_up_logs

log = structlog.get_logger()
set_up_logs(sys.argv[2], sys.argv[1])
log.debug("quiet")
log.info("call.answered", number=PhoneNumber("+15005550100"), text="two\\nlines", other=object)
try:
    secret = PhoneNumber("+13035550199").e164
    raise ValueError("boom")
except ValueError:
    log.exception("call.failed")
    logging.getLogger("sqlalchemy.pool").exception("two\\nlines of %s", "a library")
logging.getLogger("sqlalchemy.engine").info("chatter of a library")
"""
# Everything is away: a whole call, from the signed request to the last line of the log.
CALLING = """
import io, sys
from urllib.parse import urlencode
from werkzeug.test import Client
from twilio.request_validator import RequestValidator
import wsgi

path, form = "/webhooks/twilio/voice", {
    "CallSid": "CA" + "1" * 32, "AccountSid": sys.argv[1], "To": "+15005550100", "From": "+14155550142",
    "ForwardedFrom": "+13035550199",
}
signature = RequestValidator(sys.argv[2]).compute_signature("http://127.0.0.1:8000" + path, form)
client = Client(wsgi.create_app())
for headers in ({"X-Twilio-Signature": signature}, {"X-Twilio-Signature": "forged"}):
    print(client.post(path, data=form, headers=headers).data.decode())
"""


def run(source: str, *arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)} | settings
    command = [sys.executable, "-c", source, *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True)


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_has_one_event_a_line_whoever_logs_it(tmp_path: Path) -> None:
    done = run(LOGGING, "json", "INFO", folder=tmp_path)
    assert done.stdout == ""
    answered, failed, library = events(done.stderr)
    assert (answered["event"], answered["level"]) == ("call.answered", "info")
    assert (answered["number"], answered["text"]) == ("PhoneNumber(+1500•••0100)", "two\nlines")
    assert answered["timestamp"].endswith("Z")
    assert (failed["event"], failed["level"]) == ("call.failed", "error")
    assert failed["exception"].endswith("ValueError: boom")
    assert (library["event"], library["level"]) == ("two\nlines of a library", "error")
    assert library["timestamp"].endswith("Z")
    assert "+13035550199" not in done.stderr  # a local variable of the frame that failed


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("DEBUG", ["quiet", "call.answered", "call.failed"]),
        ("INFO", ["call.answered", "call.failed"]),
        ("WARNING", ["call.failed"]),
    ],
)
def test_what_is_below_the_level_is_not_logged(level: str, wanted: list[str], tmp_path: Path) -> None:
    logged = [event["event"] for event in events(run(LOGGING, "json", level, folder=tmp_path).stderr)]
    assert [event for event in logged if "library" not in event] == wanted


def test_the_console_form_is_for_people(tmp_path: Path) -> None:
    done = run(LOGGING, "console", "INFO", folder=tmp_path)
    assert "call.answered" in done.stderr
    assert "number=PhoneNumber(+1500•••0100)" in done.stderr
    assert "ValueError: boom" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_call_that_nothing_could_route_is_answered_and_tells_no_secrets(form: str, tmp_path: Path) -> None:
    account, token = SECRETS["TWILIO_ACCOUNT_SID"], SECRETS["TWILIO_AUTH_TOKEN"]
    # Not even this host's own files can be written.
    (tmp_path / "var").touch()
    done = run(
        CALLING,
        account,
        token,
        folder=tmp_path,
        **SECRETS,
        LOG_FORMAT=form,
        LOG_LEVEL="DEBUG",
        REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0",
        DATABASE_URL=f"postgresql+psycopg://hookswitch:{PASSWORD}@127.0.0.1:1/hookswitch",
    )
    assert "<Say" in done.stdout
    assert "call.not_logged" in done.stderr
    assert "CA" + "1" * 32 in done.stderr
    for number in NUMBERS:
        assert number[1:] not in done.stderr
        assert number[-7:] not in done.stderr
    for secret in (token, PASSWORD, SECRETS["SECRET_KEY"]):
        assert secret not in done.stderr
    if form == "json":
        assert {event["event"] for event in events(done.stderr)} >= {"index.unreachable", "call.not_logged"}


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 1), ("INFO", 1), ("WARNING", 0)])
def test_an_answered_call_is_one_line_unless_the_level_leaves_it_out(
    level: str, lines: int, tmp_path: Path
) -> None:
    account, token = SECRETS["TWILIO_ACCOUNT_SID"], SECRETS["TWILIO_AUTH_TOKEN"]
    stores = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/none.db"}
    done = run(
        CALLING, account, token, folder=tmp_path, **SECRETS, **stores, LOG_FORMAT="json", LOG_LEVEL=level
    )
    answered = [event for event in events(done.stderr) if event["event"] == "call.answered"]
    assert [event["source"] for event in answered] == ["none"] * lines

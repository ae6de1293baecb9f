"""`hookswitch calls reconcile`: completes the log, says what it did, and in one line why it could not."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models import call_log
from routing.arrival import Arrival, Source
from tests.builders import TRACKING, a_campaign, a_number, an_inbound_call, route
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.services.commands import ROOT
from tests.services.ports import free_port
from tests.services.twilio_account import TwilioAccountServer, busy, saying
from tests.webhooks.switchboard import ACCOUNT, TOKEN

NOTHING = {"closed": 0, "added": 0, "still_on": 0, "unknown": 0, "elsewhere": 0}
HOUR = timedelta(hours=1)


@pytest.fixture
def twilio(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        monkeypatch.setenv("TWILIO_API_BASE_URL", server.origin)
        yield server


def ended(twilio: TwilioAccountServer, installation: Installation, ago: timedelta) -> str:
    """A call whose end nobody reported."""
    began = datetime.now(UTC) - ago
    call = twilio.add_call(TRACKING.e164, began, 30)
    arrival = Arrival(an_inbound_call(call_sid=call, received_at=began), route(), Source.INDEX)
    call_log.record(installation.database, [arrival], began, "1")
    return call


def test_it_closes_and_adds_and_says_so(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed
) -> None:
    with installation.database.session() as session:
        a_number(session, TRACKING, a_campaign(session))
    ended(twilio, installation, HOUR)
    until = (datetime.now(UTC) + HOUR).isoformat()
    twilio.add_call(TRACKING.e164, datetime.now(UTC) + timedelta(seconds=2), 1)
    twilio.add_call("+15005550199", datetime.now(UTC), 1)
    told = typed("calls", "reconcile", "--until", until)
    assert (told.status, told.err) == (0, "")
    assert [line.split()[0] for line in told.out.splitlines()] == ["1", "1", "0", "0", "1"]
    assert "closed" in told.out
    assert typed("calls", "reconcile", "--until", until, "--json").json == NOTHING | {"elsewhere": 1}


def test_it_looks_back_a_day_unless_told_otherwise(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed
) -> None:
    ended(twilio, installation, 23 * HOUR)
    ended(twilio, installation, 25 * HOUR)
    assert typed("calls", "reconcile", "--json").json == NOTHING | {"closed": 1}
    since = (datetime.now(UTC) - 48 * HOUR).isoformat()
    assert typed("calls", "reconcile", "--since", since, "--json").json == NOTHING | {"closed": 1}


def test_a_span_that_ends_before_it_begins_is_wrong_usage(installation: Installation, typed: Typed) -> None:
    told = typed(
        *("calls", "reconcile", "--since", "2026-03-04T12:00:00Z", "--until", "2026-03-04T12:00:00Z")
    )
    assert told.status == 2
    assert "--since must be before --until" in told.complaint


def test_a_local_trial_does_not_bother_the_real_carrier(installation: Installation, typed: Typed) -> None:
    told = typed("calls", "reconcile")
    assert told.status == 1
    assert "this is a local trial" in told.complaint


def test_a_wrong_token_is_told_in_one_line_that_names_the_setting(
    twilio: TwilioAccountServer, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another-token")
    told = typed("calls", "reconcile")
    assert told.status == 1
    assert "TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN" in told.complaint
    assert "another-token" not in told.err


def test_a_carrier_that_is_away_is_told_in_one_line(
    twilio: TwilioAccountServer, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.spoiled.append(busy(retry_after="3600"))
    assert "the carrier answers 429; try again later" in typed("calls", "reconcile").complaint
    twilio.spoiled.append(saying(b"<html>"))
    assert "something else than JSON" in typed("calls", "reconcile").complaint
    monkeypatch.setattr("random.uniform", lambda _a, _b: 0.0)
    monkeypatch.setenv("TWILIO_API_BASE_URL", f"http://127.0.0.1:{free_port()}")
    told = typed("calls", "reconcile")
    assert (told.status, "does not answer (ConnectionError)" in told.complaint) == (1, True)


def test_a_database_that_is_away_is_told_in_one_line(
    twilio: TwilioAccountServer, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/hookswitch.db")
    told = typed("calls", "reconcile")
    assert told.complaint.startswith("hookswitch: the call log cannot be read or written (OperationalError)")


def test_the_helper_library_is_loaded_by_nobody_who_does_not_ask_the_carrier() -> None:
    source = (
        "import sys, scripts.calls, scripts.worker\n"
        "print([name for name in ('twilio.rest', 'twilio.http') if name in sys.modules])"
    )
    words = [sys.executable, "-c", source]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"

"""A web server is told to stop while calls are in hand: each of them is answered, and logged once."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from scripts.soak.fault_proxy import Fault
from tests.builders import NOW
from tests.faults.premises import LIVE, NUMBERS, Premises
from tests.scripts.installation import SECRETS
from tests.services.commands import ROOT, Command
from tests.services.ports import free_port
from tests.webhooks.switchboard import VOICE, a_call

IN_HAND = 4  # as many as the server has threads
QUEUED = 4
ASKED_EACH = 0.2
DRAINED_FOR = 2


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int
) -> Iterator[Command]:
    """`hookswitch serve` with one process, before the stores of `premises`."""
    given = SECRETS | {
        "DATABASE_URL": premises.settings.database_url,
        "REDIS_URL": premises.settings.redis_url,
        "PUBLIC_BASE_URL": premises.settings.public_base_url,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "PYTHONPATH": str(ROOT),
    }
    for name in [*os.environ]:
        if name not in {"PATH", "HOME"}:
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    premises.warm()
    with Command("serve", tmp_path) as server:
        server.wait_until(lambda: readiness(port) == 200)
        yield server


@pytest.fixture(params=[DRAINED_FOR])
def patient(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    """Likewise, one that waits so many seconds for balancers before it stops."""
    # `server` clears the environment; it finds this in its folder.
    (tmp_path / ".env").write_text(f"DRAIN_SECONDS={request.param}\n")
    server: Command = request.getfixturevalue("server")
    return server


def readiness(port: int) -> int | None:
    """The status of `/readyz`; None where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


class Caller(threading.Thread):
    """A carrier's request on a connection of its own; `status` None: it was lost."""

    def __init__(self, premises: Premises, port: int, to: str = LIVE) -> None:
        super().__init__()
        form = a_call(to) | {"HookswitchAt": NOW.isoformat()}
        self.sid = form["CallSid"]
        self.status: int | None = None
        self.answer = b""
        self._body = urlencode(form)
        self._signature = premises.web.sign(VOICE, self._body)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def run(self) -> None:
        headers = {
            "X-Twilio-Signature": self._signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            self._connection.request("POST", VOICE, self._body, headers)
            response = self._connection.getresponse()
            self.answer = response.read()
            self.status = response.status
        except OSError:
            pass
        finally:
            self._connection.close()


def test_no_call_in_hand_or_in_the_queue_is_lost(premises: Premises, server: Command, port: int) -> None:
    for _ in range(2):
        warm = [Caller(premises, port, to) for to in NUMBERS]
        for caller in warm:
            caller.start()
        for caller in warm:
            caller.join()
            premises.rung.sids.append(caller.sid)
    premises.redis_line.turn(Fault.LATENCY, ASKED_EACH)
    callers = [Caller(premises, port) for _ in range(IN_HAND + QUEUED)]
    for caller in callers:
        caller.start()
    time.sleep(ASKED_EACH / 2)
    assert all(caller.status is None for caller in callers)
    began = time.monotonic()
    assert server.stop() == 0, server.output
    assert time.monotonic() - began < 5
    for caller in callers:
        caller.join()
    assert [caller.status for caller in callers] == [200] * len(callers)
    assert all(b"<Dial" in caller.answer for caller in callers)
    premises.rung.sids += [caller.sid for caller in callers]
    premises.redis_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


def test_it_is_not_ready_any_more_once_it_was_told_to_stop(server: Command, port: int) -> None:
    assert readiness(port) == 200
    assert server.stop(signal.SIGTERM) == 0
    assert readiness(port) is None


def test_readiness_goes_off_first_and_every_call_is_answered_until_the_end(
    premises: Premises, patient: Command, port: int
) -> None:
    patient.send(signal.SIGTERM)
    began = time.monotonic()
    patient.wait_until(lambda: readiness(port) == 503)
    callers = []
    while time.monotonic() - began < DRAINED_FOR * 0.7:
        caller = Caller(premises, port)
        caller.run()
        callers.append(caller)
    assert [caller.status for caller in callers] == [200] * len(callers)
    assert len(callers) > 10
    assert patient.wait() == 0, patient.output
    assert DRAINED_FOR <= time.monotonic() - began < DRAINED_FOR + 5
    assert readiness(port) is None
    premises.rung.sids += [caller.sid for caller in callers]
    premises.every_call_is_logged_once()


@pytest.mark.parametrize("patient", [300], indirect=True)
def test_a_second_word_hurries(patient: Command, port: int) -> None:
    patient.send(signal.SIGTERM)
    patient.wait_until(lambda: readiness(port) == 503)
    assert patient.stop() == 0, patient.output


def test_it_is_ready_while_any_source_of_facts_answers_and_not_without(
    premises: Premises, server: Command, port: int
) -> None:
    premises.redis_line.turn(Fault.REFUSE)
    assert readiness(port) == 200
    premises.sql_line.turn(Fault.REFUSE)
    assert readiness(port) == 200  # the last-known copy answers
    premises.settings.snapshot.unlink()
    cold = premises.start_web()
    assert cold.web.get("/readyz").status_code == 503

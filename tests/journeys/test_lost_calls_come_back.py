"""Calls that were answered and then lost with Redis come back from the carrier's records, exactly once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis

from models.call import Call, recent
from models.database import Database
from routing.numbers import PhoneNumber
from scripts.cli import hookswitch, run
from scripts.settings import Secret, Settings, TwilioAccount
from tests.builders import BUSINESS, NOW, a_campaign, a_number
from tests.services.redis_server import RedisServer
from tests.services.twilio_account import TwilioAccountServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, Switchboard, a_call, settings_for

DIALLED = "+15005550100"
SECOND = timedelta(seconds=1)
SPAN = ("--since", "2026-03-04T11:00:00Z", "--until", "2026-03-04T14:00:00Z", "--json")


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        yield server


@pytest.fixture
def settings(
    sqlite_url: str,
    redis_server: RedisServer,
    twilio: TwilioAccountServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """One installation, for the web in this process and for commands by the environment."""
    environment = {
        "SECRET_KEY": "k" * 32,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_BASE_URL": twilio.origin,
        "DATABASE_URL": sqlite_url,
        "REDIS_URL": redis_server.url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    account = TwilioAccount(ACCOUNT, Secret(TOKEN), None, twilio.origin)
    return settings_for(var=tmp_path, database_url=sqlite_url, redis_url=redis_server.url, twilio=account)


@pytest.fixture
def board(settings: Settings, redis_client: redis.Redis) -> Iterator[Switchboard]:
    yesterday = Database(settings.database_url, clock=lambda: NOW - timedelta(days=1))
    with yesterday.session() as session:
        a_number(session, PhoneNumber(DIALLED), a_campaign(session))
    yesterday.dispose()
    board = Switchboard(settings, redis_client)
    board.rebuild_index()
    yield board
    board.close()


def ring(board: Switchboard, twilio: TwilioAccountServer, serial: int) -> str:
    """A call that is answered by us and talked for half a minute, at the carrier and at our door."""
    began = NOW + serial * SECOND
    call = twilio.add_call(DIALLED, began, 40)
    twilio.add_leg(call, BUSINESS.e164, began + 2 * SECOND, 30)
    assert board.ring(DIALLED, at=began, CallSid=call).dialled == BUSINESS.e164
    return call


def reconcile(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    assert run(hookswitch, ["calls", "reconcile", *SPAN]) == 0
    told: dict[str, int] = json.loads(capsys.readouterr().out)
    return told


def logged(board: Switchboard) -> dict[str, Call]:
    board.drain()
    with board.database.reading() as session:
        calls = recent(session, 99)
    assert len({call.call_sid for call in calls}) == len(calls)
    return {call.call_sid: call for call in calls}


def test_calls_that_were_flushed_from_the_journal_come_back_once(
    board: Switchboard, twilio: TwilioAccountServer, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = [ring(board, twilio, serial) for serial in range(3)]
    assert set(logged(board)) == set(kept)
    lost = [ring(board, twilio, serial) for serial in range(3, 10)]
    board.redis.flushall()
    board.rebuild_index()
    later = ring(board, twilio, 10)
    assert set(logged(board)) == {*kept, later}

    told = reconcile(capsys)
    assert (told["added"], told["closed"]) == (7, 4)
    found = logged(board)
    assert set(found) == {*kept, *lost, later}
    assert {call.talk_seconds for call in found.values()} == {30}
    assert {found[sid].tracking_number for sid in lost} == {PhoneNumber(DIALLED)}
    assert {found[sid].decision for sid in lost} == {None}
    assert {found[sid].decision for sid in (*kept, later)} == {"connect"}

    told = reconcile(capsys)
    assert (told["added"], told["closed"]) == (0, 0)
    assert set(logged(board)) == set(found)


def test_a_report_after_reconciling_makes_no_second_row(
    board: Switchboard, twilio: TwilioAccountServer, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ring(board, twilio, 0)
    board.redis.flushall()
    reconcile(capsys)
    board.post("/webhooks/twilio/dial", urlencode(a_call(DIALLED, CallSid=call, DialCallStatus="completed")))
    board.ring(DIALLED, at=NOW, CallSid=call)  # the carrier comes back to a call that it sent before
    (row,) = logged(board).values()
    assert (row.decision, row.disposition, row.talk_seconds) == ("connect", "completed", 30)


def test_a_call_that_was_on_during_the_flush_is_added_when_it_has_ended(
    board: Switchboard, twilio: TwilioAccountServer, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ring(board, twilio, 0)
    board.redis.flushall()
    ending = {name: twilio.calls[0][name] for name in ("status", "end_time", "duration")}
    twilio.calls[0].update(status="in-progress", end_time=None, duration=None)
    assert reconcile(capsys)["still_on"] == 1
    assert logged(board) == {}
    twilio.calls[0].update(ending)
    assert reconcile(capsys)["added"] == 1
    assert set(logged(board)) == {call}

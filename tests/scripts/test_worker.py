"""The worker: starts whatever is away, does its two jobs, and stops when it is told to."""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from models import call_log
from models.call import recent
from models.database import Database
from routing.arrival import Arrival, Source
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex
from routing.journal import Journal
from routing.route import Route
from scripts import carrier_keeping, index_keeping, worker
from scripts.assembly import Parts
from scripts.signs_of_life import SignsOfLife
from scripts.worker import Worker
from tests.builders import TRACKING, a_campaign, a_number, an_inbound_call
from tests.scripts.installation import Installation
from tests.services.commands import ROOT, Command
from tests.services.redis_server import RedisServer
from tests.services.twilio_account import TwilioAccountServer, busy
from tests.webhooks.switchboard import ACCOUNT, TOKEN, settings_for


def parts_of(installation: Installation, folder: Path, layout: Layout) -> Parts:
    settings = settings_for(var=folder, database_url="", redis_url="")
    return Parts(settings, installation.database, installation.redis, layout)


@contextmanager
def working(parts: Parts) -> Iterator[Worker]:
    """A worker in a thread, stopped at the end."""
    started = Worker(parts)
    thread = threading.Thread(target=started.run)
    thread.start()
    try:
        yield started
    finally:
        started.stop()
        thread.join(10)
        assert not thread.is_alive()


def eventually(condition: Callable[[], object], patience: float = 10.0) -> bool:
    deadline = time.monotonic() + patience
    while not (fulfilled := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return bool(fulfilled)


def logged(database: Database) -> list[str]:
    with database.reading() as session:
        return [call.call_sid for call in recent(session, 100)]


def test_it_drains_and_keeps_the_index(installation: Installation, tmp_path: Path) -> None:
    layout = Layout(4)
    with installation.database.session() as session:
        a_number(session, TRACKING, a_campaign(session))
    index = CampaignIndex(installation.redis, layout)
    with capture_logs(), working(parts_of(installation, tmp_path, layout)):
        assert eventually(lambda: isinstance(index.route_of(TRACKING), Route))
        index.arrive(an_inbound_call(call_sid="CA1"), TRACKING)
        assert eventually(lambda: logged(installation.database) == ["CA1"])


def test_each_of_its_loops_leaves_a_sign_of_life(installation: Installation, tmp_path: Path) -> None:
    parts = parts_of(installation, tmp_path, Layout())
    began = time.time() - 1  # clocks of file systems are coarse
    signs = SignsOfLife(parts.settings.signs_of_life)
    with capture_logs(), working(parts):
        assert eventually(lambda: len(dict(signs.seen())) == 9)
    assert {loop: at >= began for loop, at in signs.seen()} == dict.fromkeys(
        ("carrier", "exports", "host", "index", "journal", "numbers", "patrol", "reports", "webhooks"), True
    )


def test_a_loop_whose_store_is_away_leaves_none(installation: Installation, tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path}/nowhere/none.db", patient=True)
    parts = parts_of(installation, tmp_path, Layout())
    signs = SignsOfLife(parts.settings.signs_of_life)
    with capture_logs() as told, working(Parts(parts.settings, gone, parts.redis, parts.layout)):
        assert eventually(lambda: {line["loop"] for line in told if "loop" in line} >= {"index", "host"})
    assert "index" not in dict(signs.seen())
    gone.dispose()


def test_partitions_without_calls_are_not_asked_all_the_time(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    class Idle:
        def __init__(self, *_: object) -> None: ...

        def drain(self, _wait_ms: int) -> int:
            rounds.append(time.monotonic())
            return 0

        def finish(self) -> None: ...

    monkeypatch.setattr(worker, "Drain", Idle)
    with capture_logs(), working(parts_of(installation, tmp_path, Layout(16))):
        time.sleep(0.5)
    assert 2 <= len(rounds) <= 7


def test_a_defect_in_one_round_does_not_end_the_worker(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Exception | int] = [3, RuntimeError("boom"), redis.ConnectionError("away"), 1]

    class Stumbling:
        def __init__(self, *_: object) -> None: ...

        def drain(self, _wait_ms: int) -> int:
            time.sleep(0.005)
            outcome = outcomes.pop() if outcomes else 0
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        def finish(self) -> None: ...

    monkeypatch.setattr(worker, "Drain", Stumbling)
    monkeypatch.setattr(worker, "_PAUSE_AFTER_TROUBLE", 0.01)
    with capture_logs() as logs, working(parts_of(installation, tmp_path, Layout())):
        assert eventually(lambda: not outcomes)
    told = [line for line in logs if line["event"].startswith("worker.")]
    assert [line["event"] for line in told] == ["worker.store_unreachable", "worker.round_failed"]
    assert (told[0]["error"], told[1]["log_level"]) == ("ConnectionError", "error")


def test_a_long_rebuild_does_not_keep_it_from_stopping(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def rebuild_for_ever(*arguments: object) -> None:
        progress = arguments[-1]
        assert callable(progress)
        while True:
            progress(1000)
            begun.set()
            time.sleep(0.005)

    monkeypatch.setattr(index_keeping, "rebuild", rebuild_for_ever)
    with working(parts_of(installation, tmp_path, Layout())):
        assert begun.wait(10)


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        yield server


def asking(parts: Parts, twilio: TwilioAccountServer) -> Parts:
    account = replace(parts.settings.twilio, api_base_url=twilio.origin)
    return replace(parts, settings=replace(parts.settings, twilio=account))


def test_it_closes_calls_whose_end_nobody_reported(
    installation: Installation, tmp_path: Path, twilio: TwilioAccountServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_keeping, "_LOOK_EVERY", 0.0)
    began = datetime.now(UTC) - timedelta(minutes=12)
    sid = twilio.add_call(TRACKING.e164, began, 60)
    arrival = Arrival(an_inbound_call(call_sid=sid, received_at=began), None, Source.DATABASE)
    call_log.record(installation.database, [arrival], began, "1")

    def ended_at() -> datetime | None:
        with installation.database.reading() as session:
            (call,) = recent(session, 9)
            return call.ended_at

    parts = asking(parts_of(installation, tmp_path, Layout()), twilio)
    with capture_logs(), working(parts):
        assert eventually(ended_at)


def test_a_busy_carrier_does_not_keep_it_from_stopping(
    installation: Installation, tmp_path: Path, twilio: TwilioAccountServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_keeping, "_LOOK_EVERY", 0.0)
    twilio.spoiled.extend([busy(503, retry_after="50")] * 5)
    with capture_logs(), working(asking(parts_of(installation, tmp_path, Layout()), twilio)):
        assert eventually(lambda: twilio.requests)


@pytest.fixture
def folder(settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a worker of its own process may run, logging JSON."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LOG_FORMAT", "json")
    return tmp_path


@pytest.mark.parametrize("asking", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_seconds_when_told_to(
    folder: Path, installation: Installation, asking: signal.Signals
) -> None:
    with Command("worker", folder) as running:
        running.wait_until(lambda: "worker.started" in running.output)
        began = time.monotonic()
        assert running.stop(asking) == 0
        assert time.monotonic() - began < 4
        events = [event["event"] for event in running.events]
    assert (events[0], events[-1]) == ("worker.started", "worker.stopped")


def test_stores_that_are_away_do_not_end_it_and_nothing_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    later = folder / "not-mounted"
    monkeypatch.setenv("DATABASE_URL", sqlite_url.replace(str(folder), str(later)))
    with RedisServer() as server:
        monkeypatch.setenv("REDIS_URL", server.url)
        with server.client() as client:
            Journal(client, Layout()).append(Arrival(an_inbound_call(call_sid="CA1"), None, Source.DATABASE))
        server.stop()
        with Command("worker", folder) as running:
            running.wait_until(lambda: '"ConnectionError"' in running.output)
            server.start()
            running.wait_until(lambda: '"OperationalError"' in running.output)
            later.mkdir()
            shutil.move(folder / "hookswitch.db", later)
            database = Database(sqlite_url.replace(str(folder), str(later)))
            running.wait_until(lambda: logged(database) == ["CA1"])
            with server.client() as client:
                client.flushall()
                journal = Journal(client, Layout())
                journal.append(Arrival(an_inbound_call(call_sid="CA2"), None, Source.DATABASE))
                running.wait_until(lambda: logged(database) == ["CA2", "CA1"])
                running.wait_until(lambda: client.exists(Layout().live(0)))
            database.dispose()
            assert running.stop() == 0
            # A rebuild that the flush met is interrupted, and begun again.
            assert {event["event"] for event in running.events} - {"index.rebuild_interrupted"} == {
                "worker.started",
                "worker.store_unreachable",
                "index.rebuilt",
                "worker.stopped",
            }

"""What operators see while parts are broken: metrics come in time, logs hold up nobody."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import requests

from models.campaign import Campaign
from routing.decision import Reason
from scripts.signs_of_life import SignsOfLife
from scripts.soak.fault_proxy import Fault
from tests.faults.premises import LIVE, Premises
from tests.faults.test_deploying_under_load import Caller, readiness
from tests.scripts.installation import SECRETS
from tests.services.commands import ROOT
from tests.services.ports import free_port
from tests.webhooks.switchboard import Arrived

SCRAPED_WITHIN = 8  # Prometheus waits for 10 s
IN_REDIS = {"hookswitch_journal_entries", "hookswitch_journal_age_seconds", "hookswitch_index_damaged_total"}
IN_SQL = {"hookswitch_outbox_edits", "hookswitch_outbox_age_seconds"}
ON_HOST = {"hookswitch_snapshot_age_seconds", "hookswitch_spool_waiting_bytes"}


def compared(premises: Premises) -> None:
    premises.redis.hset(premises.layout.compared(), mapping={"at": int(time.time()), "damaged": 0})


def test_what_waits_is_measured(premises: Premises) -> None:
    premises.warm()
    compared(premises)
    premises.drain()
    premises.edit(lambda campaign: setattr(campaign, "enabled", False), "paused")
    premises.edit(_is_called_otherwise)
    premises.ring(LIVE)
    seen = premises.web.metrics()
    assert set(seen) >= IN_REDIS | IN_SQL | ON_HOST
    assert (seen["hookswitch_journal_entries"], seen["hookswitch_outbox_edits"]) == (1, 1)
    assert 0 <= seen["hookswitch_journal_age_seconds"] < 60
    assert 0 < seen["hookswitch_outbox_age_seconds"] < 60


def test_every_metric_that_an_alert_asks_for_is_there_and_every_alert_is_explained(
    premises: Premises,
) -> None:
    premises.warm()
    compared(premises)
    SignsOfLife(premises.settings.signs_of_life).leave("journal")
    page = premises.web.web.get("/metrics", environ_overrides={"gunicorn.socket": Arrived(9464)}).text
    rules = (ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8")
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bhookswitch_[a-z_]+", rules + manual))
    shown = set(re.findall(r"\bhookswitch_[a-z_]+", page))
    assert len(asked) > 10
    assert asked - shown == set()
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert len(alerts) > 10
    assert re.findall(r"^### (\w+)$", manual, re.MULTILINE) == alerts


def test_every_value_of_a_label_that_an_alert_asks_for_is_a_word_of_ours() -> None:
    rules = (ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8")
    reasons = {word for words in re.findall(r'reason=~"([^"]+)"', rules) for word in words.split("|")}
    assert reasons <= {*Reason, "last_resort", "fallback"}
    assert len(reasons) >= 5


def _is_called_otherwise(campaign: Campaign) -> None:
    campaign.name = "otherwise"


@pytest.mark.parametrize(
    ("fault", "redis", "sql"),
    [
        (Fault.BLACKHOLE, True, False),
        (Fault.BLACKHOLE, False, True),
        (Fault.BLACKHOLE, True, True),
        (Fault.REFUSE, True, True),
    ],
)
def test_metrics_come_in_time_and_without_what_cannot_be_measured(
    premises: Premises,
    fault: Fault,
    redis: bool,  # noqa: FBT001 - the example
    sql: bool,  # noqa: FBT001 - the example
) -> None:
    premises.warm()
    compared(premises)
    if redis:
        premises.redis_line.turn(fault)
    if sql:
        premises.sql_line.turn(fault)
    began = time.monotonic()
    seen = premises.web.metrics()
    assert time.monotonic() - began < SCRAPED_WITHIN
    shown = ON_HOST | (set() if redis else IN_REDIS) | (set() if sql else IN_SQL)
    assert set(seen) & (IN_REDIS | IN_SQL | ON_HOST) == shown


def test_a_store_that_calls_do_not_ask_is_not_asked_for_metrics_either(premises: Premises) -> None:
    premises.warm()
    for line in (premises.redis_line, premises.sql_line):
        line.turn(Fault.BLACKHOLE)
    for _ in range(4):
        premises.ring(LIVE)
    began = time.monotonic()
    seen = premises.web.metrics()
    assert time.monotonic() - began < 1  # to ask would take longer
    stores = [seen[f'hookswitch_breaker_open{{store="{store}"}}'] for store in ("redis", "sql")]
    assert stores == [1, 1]


@pytest.fixture
def metrics_port() -> int:
    return free_port()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def unread(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int, metrics_port: int
) -> Iterator[IO[bytes]]:
    """The log of a `hookswitch serve` that runs, and that nobody reads yet."""
    given = SECRETS | {
        "DATABASE_URL": premises.direct.database_url,
        "REDIS_URL": premises.direct.redis_url,
        "PUBLIC_BASE_URL": premises.direct.public_base_url,
        "PORT": str(port),
        "METRICS_ADDRESS": f"127.0.0.1:{metrics_port}",
        "WEB_CONCURRENCY": "2",
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(ROOT),
        "PATH": os.environ.get("PATH", ""),
    }
    premises.warm()
    serve = [sys.executable, "-m", "scripts.serve"]
    with subprocess.Popen(serve, cwd=tmp_path, env=given, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 20
            while readiness(port) != 200:
                assert time.monotonic() < deadline, "the server does not get ready"
                time.sleep(0.02)
            assert process.stderr is not None
            yield process.stderr
        finally:
            process.terminate()
            process.wait(20)


def test_a_collector_that_stops_reading_holds_up_no_caller_and_gets_its_lines_later(
    premises: Premises, unread: IO[bytes], port: int, metrics_port: int
) -> None:
    callers = [Caller(premises, port) for _ in range(400)]  # more than a pipe takes
    slowest = 0.0
    for caller in callers:
        began = time.monotonic()
        caller.run()
        slowest = max(slowest, time.monotonic() - began)
    assert [caller.status for caller in callers] == [200] * len(callers)
    assert slowest < 2
    page = requests.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=SCRAPED_WITHIN).text
    answered = [line for line in page.splitlines() if line.startswith("hookswitch_calls_answered_total")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in answered) >= len(callers) - 200
    told = [json.loads(unread.readline()) for _ in callers]
    assert {line["call_sid"] for line in told} == {caller.sid for caller in callers}

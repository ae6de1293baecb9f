"""`hookswitch doctor`: each part that calls depend on, found well and found ill, with what to do."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models.outbox import Outbox, Topic
from routing.arrival import Arrival, Source
from routing.index.condition import IndexCondition
from routing.journal import Journal
from routing.spool.writer import Spool
from routing.spooled import encode_happening
from scripts import vital_signs
from scripts.host_files import HostKeeper
from scripts.settings import Secret, TwilioAccount
from scripts.signs_of_life import SignsOfLife
from tests.builders import NOW, TRACKING, a_campaign, a_number, an_inbound_call
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation, Server, answering
from tests.services.redis_server import RedisServer
from tests.services.twilio_account import busy
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, Switchboard, settings_for

ALL = [
    "settings",
    "database",
    "migrations",
    "redis",
    "durability",
    "index",
    "outbox",
    "journal",
    "last-known copy",
    "spool",
    "worker",
    "carrier",
    "public address",
    "web server",
    "voice addresses",
]
# Not this machine alone, and nobody listens there.
PUBLIC = "https://0.0.0.0:1"
Serve = Callable[..., None]


class Diagnosis(dict[str, dict[str, str]]):
    """Findings by check, and the exit status."""

    status = 0

    def verdicts(self, *checks: str) -> list[str]:
        return [self[check]["verdict"] for check in checks]


@pytest.fixture
def examined(typed: Typed) -> Callable[[], Diagnosis]:
    def examine() -> Diagnosis:
        told = typed("doctor", "--json")
        assert told.err == ""
        diagnosis = Diagnosis({finding["check"]: finding for finding in told.json_lines})
        diagnosis.status = told.status
        return diagnosis

    return examine


@pytest.fixture
def server(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that the environment names as ours; it serves nothing yet."""
    with Server() as server:
        monkeypatch.setenv("PUBLIC_BASE_URL", server.origin)
        yield server


@pytest.fixture
def serve(
    server: Server, installation: Installation, sqlite_url: str, redis_server: RedisServer, tmp_path: Path
) -> Iterator[Serve]:
    """Make a local installation that answers calls, with settings of its server changed as told."""
    boards: list[Switchboard] = []

    def start(**changes: object) -> None:
        stores = {"database_url": sqlite_url, "redis_url": redis_server.url, "public_base_url": server.origin}
        settings = settings_for(var=tmp_path / "var", **(stores | changes))
        board = Switchboard(settings, installation.redis)
        boards.append(board)
        server.application = board.web.application
        installation.load_demo()
        HostKeeper(settings, installation.database).keep()
        SignsOfLife(settings.signs_of_life).leave("journal")

    yield start
    for board in boards:
        board.close()


def test_a_local_installation_that_works_has_only_its_address_to_mention(
    serve: Serve, examined: Callable[[], Diagnosis]
) -> None:
    serve()
    diagnosis = examined()
    assert list(diagnosis) == ALL
    assert diagnosis.status == 0
    assert {check for check in ALL if diagnosis[check]["verdict"] != "ok"} == {"public address"}
    assert diagnosis["public address"]["verdict"] == "warning"
    assert all(bool(finding["advice"]) == (finding["verdict"] != "ok") for finding in diagnosis.values())
    assert diagnosis["web server"]["detail"] == "a signed request came back as TwiML"


def test_people_get_a_line_a_check_and_advice_below(serve: Serve, typed: Typed) -> None:
    serve()
    told = typed("doctor")
    assert (told.status, told.err) == (0, "")
    lines = told.out.splitlines()
    findings = [line for line in lines if not line.startswith("        → ")]
    assert [line[8:].split(":")[0] for line in findings] == ALL
    assert {line[:8].strip() for line in findings} == {"ok", "warning"}
    assert len(lines) == len(findings) + 1
    assert "\x1b" not in told.out


def test_a_bad_setting_is_the_only_finding(
    examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    diagnosis = examined()
    assert (diagnosis.status, list(diagnosis)) == (1, ["settings"])
    assert diagnosis["settings"]["detail"].startswith("TWILIO_AUTH_TOKEN: is missing")


def test_a_database_that_is_down_fails(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://hookswitch:secret@127.0.0.1:1/hookswitch")
    diagnosis = examined()
    assert diagnosis.status == 1
    assert diagnosis.verdicts("database", "migrations") == ["failed", "failed"]
    assert diagnosis["database"]["detail"] == "does not answer (OperationalError)"
    assert "secret" not in json.dumps(diagnosis)
    assert diagnosis.verdicts("redis", "index", "web server") == ["ok", "ok", "ok"]


def test_postgresql_is_named(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    serve()
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    diagnosis = examined()
    assert diagnosis.verdicts("database", "migrations") == ["ok", "ok"]
    assert diagnosis["database"]["detail"] == "postgresql"


def test_a_database_that_was_not_migrated_fails(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    diagnosis = examined()
    assert diagnosis.status == 1
    assert diagnosis.verdicts("database", "migrations") == ["ok", "failed"]
    assert diagnosis["migrations"]["detail"].startswith("the schema is at nothing, the program wants ")
    assert "hookswitch migrate" in diagnosis["migrations"]["advice"]


def test_a_database_at_another_schema_fails(
    serve: Serve, installation: Installation, examined: Callable[[], Diagnosis]
) -> None:
    serve()
    with installation.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("migrations")) == (1, ["failed"])
    assert "the schema is at 0000" in diagnosis["migrations"]["detail"]


def test_redis_that_is_down_fails(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    diagnosis = examined()
    assert diagnosis.status == 1
    assert diagnosis.verdicts("redis", "index", "journal") == ["failed", "failed", "failed"]
    assert diagnosis.verdicts("durability", "database") == ["warning", "ok"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--appendonly no", "appendonly no"),
        ("--appendfsync everysec", "appendfsync everysec"),
        ("--maxmemory-policy allkeys-lru", "maxmemory-policy allkeys-lru"),
        ("--rename-command CONFIG NO-CONFIG", "cannot be read (ResponseError)"),
    ],
)
def test_redis_that_may_lose_calls_is_warned_of(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch, words: str, named: str
) -> None:
    serve()
    with RedisServer(*words.split()) as other:
        monkeypatch.setenv("REDIS_URL", other.url)
        diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("redis", "durability")) == (0, ["ok", "warning"])
    assert named in diagnosis["durability"]["detail"]


def test_without_an_index_calls_are_answered_but_it_is_said(
    serve: Serve, installation: Installation, examined: Callable[[], Diagnosis]
) -> None:
    serve()
    installation.redis.flushall()
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("index")) == (0, ["warning"])
    assert "hookswitch index rebuild" in diagnosis["index"]["advice"]


def test_an_index_built_on_another_server_is_mentioned(
    serve: Serve, installation: Installation, examined: Callable[[], Diagnosis]
) -> None:
    serve()
    installation.redis.set(installation.layout.origin(0), "0" * 40)
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("index")) == (0, ["warning"])
    assert "another Redis server" in diagnosis["index"]["detail"]


@pytest.mark.parametrize(("damaged", "verdict"), [(False, "ok"), (True, "warning")])
def test_what_the_last_comparison_of_the_index_found_is_told(
    serve: Serve,
    installation: Installation,
    examined: Callable[[], Diagnosis],
    damaged: bool,  # noqa: FBT001 - the example
    verdict: str,
) -> None:
    serve()
    IndexCondition(installation.redis, installation.layout).was_compared(NOW, damaged=damaged)
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("index")) == (0, [verdict])
    assert "2026-03-04T12:00:00Z" in diagnosis["index"]["detail"]


def test_a_host_without_a_worker_is_mentioned(
    serve: Serve, examined: Callable[[], Diagnosis], tmp_path: Path
) -> None:
    serve()
    shutil.rmtree(tmp_path / "var" / "worker")
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("worker")) == (0, ["warning"])


@pytest.mark.parametrize(("seconds", "verdict"), [(30, "ok"), (120, "warning")])
def test_a_worker_that_is_silent_is_mentioned_with_the_loop_that_is(
    serve: Serve, examined: Callable[[], Diagnosis], tmp_path: Path, seconds: int, verdict: str
) -> None:
    serve()
    left = time.time() - seconds
    os.utime(tmp_path / "var" / "worker" / "journal", (left, left))
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("worker")) == (0, [verdict])
    assert ("journal for" in diagnosis["worker"]["detail"]) is (verdict == "warning")


@pytest.mark.parametrize(("waiting", "verdict"), [(1, "ok"), (2, "ok"), (3, "warning")])
def test_many_calls_that_wait_for_the_log_are_mentioned(
    installation: Installation,
    examined: Callable[[], Diagnosis],
    monkeypatch: pytest.MonkeyPatch,
    waiting: int,
    verdict: str,
) -> None:
    monkeypatch.setattr(vital_signs, "_MANY_CALLS_WAITING", 2)
    for _ in range(waiting):
        arrival = Arrival(an_inbound_call(), None, Source.DATABASE)
        Journal(installation.redis, installation.layout).append(arrival)
    diagnosis = examined()
    assert diagnosis.verdicts("journal") == [verdict]
    assert diagnosis["journal"]["detail"].startswith(f"{waiting} calls ")


@pytest.mark.parametrize(("seconds", "verdict"), [(30, "ok"), (120, "warning")])
def test_an_edit_that_calls_have_not_heard_of_for_long_is_mentioned(
    serve: Serve,
    installation: Installation,
    examined: Callable[[], Diagnosis],
    seconds: int,
    verdict: str,
) -> None:
    serve()
    written = datetime.now(UTC) - timedelta(seconds=seconds)
    with installation.database.session() as session:
        session.add(Outbox(topic=Topic.CAMPAIGN, entity_id=1, revision=1, created_at=written))
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("outbox")) == (0, [verdict])


def test_entries_that_were_set_aside_are_mentioned(
    serve: Serve, installation: Installation, examined: Callable[[], Diagnosis]
) -> None:
    serve()
    journal = Journal(installation.redis, installation.layout)
    installation.redis.xadd(installation.layout.journal(0), {"call": "?"})
    journal.open()
    (entry,) = journal.read("worker", 1, 1)
    journal.set_aside(entry)
    journal.acknowledge([entry])
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("journal")) == (0, ["warning"])
    assert diagnosis["journal"]["detail"].startswith("1 entries could not be read, or written")


def test_a_server_that_is_not_there_fails(
    installation: Installation, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.load_demo()
    monkeypatch.setenv("PUBLIC_BASE_URL", "http://127.0.0.1:1")
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("web server")) == (1, ["failed"])
    assert diagnosis["web server"]["detail"] == "http://127.0.0.1:1 does not answer (ConnectionError)"


def test_a_server_with_another_token_fails(serve: Serve, examined: Callable[[], Diagnosis]) -> None:
    serve(twilio=TwilioAccount(ACCOUNT, Secret("another" + TOKEN), None, "https://api.twilio.com"))
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("web server")) == (1, ["failed"])
    assert diagnosis["web server"]["detail"] == "refuses a correctly signed request"


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "404 Not Found", "502 Bad Gateway"])
def test_a_server_that_is_not_ours_fails(
    server: Server, installation: Installation, examined: Callable[[], Diagnosis], status: str
) -> None:
    server.application = answering(status, b"<p>Welcome to nginx!")
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("web server")) == (1, ["failed"])
    assert diagnosis["web server"]["detail"] == f"answers {status[:3]} to a signed request"


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (("200 OK", b'{"status": "active"}'), "ok: knows the account and its token"),
        (("200 OK", b'{"status": "suspended"}'), "failed: says that the account is suspended"),
        (("401 Unauthorized", b'{"code": 20003}'), "failed: does not know TWILIO_ACCOUNT_SID with"),
        (("404 Not Found", b'{"code": 20404}'), "failed: does not know TWILIO_ACCOUNT_SID with"),
        (("503 Service Unavailable", b""), "warning: answers 503"),
        (("200 OK", b"<p>Log in to this hotel's network"), "warning: cannot be asked about the account"),
        (("200 OK", b"[]"), "warning: cannot be asked about the account"),
    ],
)
def test_the_carrier_is_asked_whether_it_knows_a_public_installation(
    installation: Installation,
    examined: Callable[[], Diagnosis],
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[str, bytes],
    finding: str,
) -> None:
    with Server(answering(*answer)) as carrier:
        monkeypatch.setenv("TWILIO_API_BASE_URL", carrier.origin)
        monkeypatch.setenv("PUBLIC_BASE_URL", PUBLIC)
        diagnosis = examined()
    assert diagnosis.verdicts("public address") == ["ok"]
    assert f"{diagnosis['carrier']['verdict']}: {diagnosis['carrier']['detail']}".startswith(finding)


def test_a_carrier_that_does_not_answer_is_warned_of(
    installation: Installation, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_API_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PUBLIC_BASE_URL", PUBLIC)
    assert examined().verdicts("carrier") == ["warning"]


def test_a_host_without_a_last_known_copy_is_told_what_that_means(
    serve: Serve, examined: Callable[[], Diagnosis], tmp_path: Path
) -> None:
    serve()
    (tmp_path / "var" / "snapshot" / "routes").unlink()
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("last-known copy")) == (0, ["warning"])
    assert "apology" in diagnosis["last-known copy"]["detail"]


def test_an_old_copy_is_mentioned(
    serve: Serve, examined: Callable[[], Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vital_signs, "_OLD_COPY", -1)
    serve()
    assert examined().verdicts("last-known copy") == ["warning"]


def test_calls_that_wait_in_the_spool_are_mentioned(
    serve: Serve, examined: Callable[[], Diagnosis], tmp_path: Path
) -> None:
    serve()
    spool = Spool(tmp_path / "var" / "spool")
    spool.append(encode_happening(Arrival(an_inbound_call(), None, Source.NONE)))
    diagnosis = examined()
    assert (diagnosis.status, diagnosis.verdicts("spool")) == (0, ["warning"])
    assert diagnosis["spool"]["advice"] == "start a worker"


@pytest.mark.parametrize(
    ("address", "verdict"),
    [("http://127.0.0.1:8000", "ok"), ("https://old.example.com", "failed")],
)
def test_some_numbers_are_looked_up_at_the_carrier(
    installation: Installation,
    shop: TwilioNumbersServer,
    examined: Callable[[], Diagnosis],
    address: str,
    verdict: str,
) -> None:
    with installation.database.session() as session:
        a_number(session, TRACKING, a_campaign(session))
    shop.own(
        TRACKING.e164,
        voice_url=f"{address}/webhooks/twilio/voice",
        voice_fallback_url=f"{address}/webhooks/twilio/fallback",
        status_callback=f"{address}/webhooks/twilio/status",
    )
    assert examined().verdicts("voice addresses") == [verdict]


def test_a_number_that_the_account_does_not_have_is_found(
    installation: Installation, shop: TwilioNumbersServer, examined: Callable[[], Diagnosis]
) -> None:
    with installation.database.session() as session:
        a_number(session, TRACKING, a_campaign(session))
    finding = examined()["voice addresses"]
    assert (finding["verdict"], finding["detail"]) == ("failed", "1 of 1 numbers do not point here")
    shop.troubles.append(Trouble("GET", "Incoming", busy(429, "3600")))
    assert examined().verdicts("voice addresses") == ["warning"]

"""Redis and SQL are both gone: known numbers are routed all the same, and no call is lost or doubled."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis
from sqlalchemy import select

from models.blocked_caller import block
from models.call import recent
from models.campaign import Campaign
from models.database import Database
from routing.blocks import CallerPattern
from routing.numbers import PhoneNumber
from scripts.host_files import HostKeeper
from scripts.settings import Settings
from tests.builders import BUSINESS, NOW, a_campaign, a_number
from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import Heard, Switchboard, a_call, settings_for

DIALLED = "+15005550100"


@pytest.fixture
def settings(sqlite_url: str, redis_server: RedisServer, tmp_path: Path) -> Settings:
    return settings_for(var=tmp_path, database_url=sqlite_url, redis_url=redis_server.url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url, patient=True)
    with database.session() as session:
        a_number(session, PhoneNumber(DIALLED), a_campaign(session))
        a_number(session, PhoneNumber("+15005550101"), a_campaign(session, enabled=False))
    yield database
    database.dispose()


@pytest.fixture
def dark(settings: Settings, redis_client: redis.Redis, tmp_path: Path) -> Iterator[Switchboard]:
    """A web process that is started while both stores are away; the host's files are there."""
    gone = {"database_url": f"sqlite:///{tmp_path}/gone/none.db", "redis_url": f"unix://{tmp_path}/none.sock"}
    board = Switchboard(settings_for(var=settings.var, **gone), redis_client)
    yield board
    board.close()


def logged(database: Database) -> list[tuple[str, str | None, str | None]]:
    with database.reading() as session:
        return sorted((call.call_sid, call.decision, call.disposition) for call in recent(session, 99))


def test_a_process_started_in_the_dark_routes_from_the_last_known_copy(
    settings: Settings, database: Database, dark: Switchboard
) -> None:
    HostKeeper(settings, database).keep()
    assert dark.ring(DIALLED, at=NOW).dialled == BUSINESS.e164
    assert dark.ring("+15005550101", at=NOW).verbs == ["Reject"]


def test_who_is_blocked_is_known_in_the_dark_too(
    settings: Settings, database: Database, dark: Switchboard
) -> None:
    with database.session() as session:
        group_id = session.scalars(select(Campaign.group_id).order_by(Campaign.id).limit(1)).one()
        found = block(session, CallerPattern("+1415*"), group_id=group_id, at=NOW)
    HostKeeper(settings, database).keep()
    assert dark.ring(DIALLED, at=NOW, From="+13035550142").dialled == BUSINESS.e164
    assert dark.ring(DIALLED, at=NOW, From="+14155550142").verbs == ["Reject"]
    HostKeeper(settings, database).keep()
    with database.reading() as session:
        assert {call.blocked_by for call in recent(session, 9)} == {None, found.id}, "the spool tells the log"


def test_a_number_younger_than_the_copy_hears_an_apology_never_a_rejection(
    settings: Settings, database: Database, dark: Switchboard
) -> None:
    HostKeeper(settings, database).keep()
    assert dark.ring("+15005550199", at=NOW).verbs == ["Say", "Hangup"]


def test_without_even_a_copy_the_caller_hears_an_apology(dark: Switchboard) -> None:
    assert dark.ring(DIALLED, at=NOW).verbs == ["Say", "Hangup"]
    assert dark.web.get("/readyz").status_code == 503


def test_calls_and_reports_of_the_dark_hour_are_logged_once_afterwards(
    settings: Settings, database: Database, dark: Switchboard
) -> None:
    HostKeeper(settings, database).keep()
    calls = [a_call(DIALLED) for _ in range(7)]
    for form in calls * 2:
        dark.ring(DIALLED, at=NOW, **form)
        report = form | {"DialCallStatus": "busy", "HookswitchAt": NOW.isoformat()}
        assert Heard(dark.post("/webhooks/twilio/dial", urlencode(report))).verbs == ["Say", "Hangup"]
    assert logged(database) == []
    keeper = HostKeeper(settings, database)
    for _ in range(3):
        keeper.keep()
    assert logged(database) == sorted((form["CallSid"], "connect", "busy") for form in calls)


def test_the_copy_is_renewed_once_a_minute(settings: Settings, database: Database) -> None:
    seconds = [0.0]
    keeper = HostKeeper(settings, database, clock=lambda: seconds[0])
    keeper.keep()
    first = settings.snapshot.stat().st_ino
    seconds[0] = 59.0
    keeper.keep()
    assert settings.snapshot.stat().st_ino == first
    seconds[0] = 60.0
    keeper.keep()
    assert settings.snapshot.stat().st_ino != first


def test_its_age_and_what_waits_in_the_spool_are_measured(
    settings: Settings, database: Database, dark: Switchboard
) -> None:
    HostKeeper(settings, database).keep()
    dark.ring(DIALLED, at=NOW + timedelta(seconds=1))
    values = dark.metrics()
    assert values["hookswitch_snapshot_age_seconds"] >= 0
    assert values["hookswitch_spool_waiting_bytes"] > 100

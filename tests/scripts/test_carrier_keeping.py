"""The worker asks the carrier when it is time, one worker for all, and outlives whatever it answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from structlog.testing import capture_logs

from models import call_log
from models.call import call_by_sid
from routing.arrival import Arrival, Source
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts.carrier_keeping import CarrierKeeper
from scripts.settings import Secret, Settings, TwilioAccount
from scripts.stores import CALL_TIMEOUT, open_redis
from tests.builders import TRACKING, an_inbound_call, route
from tests.scripts.installation import Installation
from tests.services.ports import free_port
from tests.services.twilio_account import Fault, TwilioAccountServer, busy, saying
from tests.webhooks.switchboard import ACCOUNT, TOKEN, settings_for

MINUTE = timedelta(minutes=1)
SID = "CA" + "a" * 32


class Clock:
    """Monotonic seconds that pass when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


Keep = Callable[..., CarrierKeeper]


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        yield server


@pytest.fixture
def asking(twilio: TwilioAccountServer, tmp_path: Path) -> Settings:
    account = TwilioAccount(ACCOUNT, Secret(TOKEN), None, twilio.origin)
    return settings_for(var=tmp_path, database_url="", redis_url="", twilio=account)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def a_keeper(installation: Installation, asking: Settings, clock: Clock) -> Keep:
    def make(settings: Settings = asking, client: RedisClient = installation.redis) -> CarrierKeeper:
        keeper = CarrierKeeper(
            settings, installation.database, client, Layout(), pause=lambda _seconds: None, clock=clock
        )
        clock.seconds += 30
        return keeper

    return make


def a_lost_end(installation: Installation, twilio: TwilioAccountServer, ago: timedelta) -> None:
    """A call that has ended, of which nobody told."""
    began = datetime.now(UTC) - ago
    twilio.add_call(TRACKING.e164, began, 30, sid=SID)
    arrival = Arrival(an_inbound_call(call_sid=SID, received_at=began), route(), Source.INDEX)
    call_log.record(installation.database, [arrival], began, "1")


def is_closed(installation: Installation) -> bool:
    with installation.database.reading() as session:
        call = call_by_sid(session, "twilio", SID)
        return call is not None and call.ended_at is not None


def lists_asked_for(twilio: TwilioAccountServer) -> list[datetime]:
    """Since when, of each list of calls."""
    asked = [unquote(request).partition("StartTime>=")[2][:20] for request in twilio.requests]
    return [datetime.fromisoformat(since) for since in asked if since]


def test_a_call_that_nobody_reported_is_closed_within_the_promised_time(
    installation: Installation, twilio: TwilioAccountServer, a_keeper: Keep
) -> None:
    a_lost_end(installation, twilio, 11 * MINUTE)
    with capture_logs() as logs:
        a_keeper().keep()
    assert is_closed(installation)
    assert logs == [
        {"event": "reconcile.changed", "closed": 1, "added": 0, "unknown": 0, "log_level": "info"}
    ]


def test_a_call_of_the_last_minutes_is_left_to_its_own_reports(
    installation: Installation, twilio: TwilioAccountServer, a_keeper: Keep
) -> None:
    a_lost_end(installation, twilio, 9 * MINUTE)
    a_keeper().keep()
    assert not is_closed(installation)


def test_of_several_workers_one_has_the_turn(
    installation: Installation, twilio: TwilioAccountServer, a_keeper: Keep
) -> None:
    for worker in [a_keeper() for _ in range(3)]:
        worker.keep()
    assert len(lists_asked_for(twilio)) == 1
    assert 14 * 60 < installation.redis.ttl(Layout().turn("reconcile")) <= 15 * 60


def test_it_looks_back_a_week_once_a_day_and_else_to_the_first_gap(
    installation: Installation, twilio: TwilioAccountServer, a_keeper: Keep, clock: Clock
) -> None:
    keeper = a_keeper()
    for ago in (None, None, 5 * 60 * MINUTE, 30 * 60 * MINUTE):
        if ago is not None:
            began = datetime.now(UTC) - ago
            arrival = Arrival(an_inbound_call(received_at=began), route(), Source.INDEX)
            call_log.record(installation.database, [arrival], began, "1")
        clock.seconds += 30
        installation.redis.delete(Layout().turn("reconcile"))
        keeper.keep()
    ages = [datetime.now(UTC) - since for since in lists_asked_for(twilio)]
    wanted = [timedelta(days=7), 70 * MINUTE, 301 * MINUTE, 70 * MINUTE]
    assert [abs(age - expected) < MINUTE for age, expected in zip(ages, wanted, strict=True)] == [True] * 4


def test_it_does_not_look_all_the_time(
    twilio: TwilioAccountServer, a_keeper: Keep, clock: Clock, installation: Installation
) -> None:
    keeper = a_keeper()
    for clock.seconds in (29.9, 30.0, 59.9, 60.0):
        installation.redis.delete(Layout().turn("reconcile"))
        keeper.keep()
    assert len(lists_asked_for(twilio)) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        (busy(), "the carrier answers 429"),
        (busy(503), "the carrier answers 503"),
        (saying(b"<html>"), "the carrier answers with something else than JSON"),
        (saying(b"", 500), "the carrier answers 500"),
    ],
    ids=["429", "503", "garbage", "500"],
)
def test_a_carrier_that_does_not_answer_is_one_line_and_the_next_turn_goes_on(
    installation: Installation,
    twilio: TwilioAccountServer,
    a_keeper: Keep,
    clock: Clock,
    trouble: tuple[Fault, str],
) -> None:
    fault, told = trouble
    a_lost_end(installation, twilio, 11 * MINUTE)
    twilio.spoiled.extend([fault] * 5)
    keeper = a_keeper()
    with capture_logs() as logs:
        keeper.keep()
    assert [(line["event"], line["error"]) for line in logs] == [("reconcile.carrier_unavailable", told)]
    twilio.spoiled.clear()
    clock.seconds = 900
    installation.redis.delete(Layout().turn("reconcile"))
    with capture_logs():
        keeper.keep()
    assert is_closed(installation)


def test_a_carrier_that_is_away_is_one_line(a_keeper: Keep, asking: Settings) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    away = replace(asking, twilio=replace(asking.twilio, api_base_url=origin))
    with capture_logs() as logs:
        a_keeper(away).keep()
    (line,) = logs
    assert line["error"] == "the carrier does not answer (ConnectionError)"


def test_a_wrong_token_is_one_line_that_names_the_setting(a_keeper: Keep, asking: Settings) -> None:
    wrong = replace(asking, twilio=replace(asking.twilio, auth_token=Secret("another")))
    with capture_logs() as logs:
        a_keeper(wrong).keep()
    (line,) = logs
    assert line["event"] == "reconcile.refused"
    assert "TWILIO_AUTH_TOKEN" in line["error"]
    assert "another" not in str(line)


@pytest.mark.parametrize(
    ("public", "api", "asks"),
    [
        ("http://127.0.0.1:8000", "https://api.twilio.com", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:4010", True),
        ("https://calls.example.com", "https://api.twilio.com", True),
    ],
)
def test_a_local_trial_never_asks_the_real_carrier(
    asking: Settings,
    public: str,
    api: str,
    asks: bool,  # noqa: FBT001
) -> None:
    account = replace(asking.twilio, api_base_url=api)
    assert replace(asking, public_base_url=public, twilio=account).may_ask_carrier == asks


def test_a_worker_that_may_not_ask_takes_no_turn(
    installation: Installation, a_keeper: Keep, asking: Settings
) -> None:
    a_keeper(replace(asking, twilio=replace(asking.twilio, api_base_url="https://api.twilio.com"))).keep()
    assert installation.redis.keys() == []


def test_without_redis_nobody_has_the_turn(
    twilio: TwilioAccountServer, a_keeper: Keep, tmp_path: Path
) -> None:
    away = open_redis(f"unix://{tmp_path}/none.sock", CALL_TIMEOUT)
    a_keeper(client=away).keep()
    away.close()
    assert twilio.requests == []

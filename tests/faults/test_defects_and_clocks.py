"""What our own code may do wrong, and clocks that jump: callers hear words, and nobody flaps."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

import pytest

import wsgi
from models.call import Call, call_by_sid
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from scripts.host_files import HostKeeper
from scripts.soak.fault_proxy import Fault
from tests.builders import NOW, a_campaign, a_group, a_number, a_plan
from tests.faults.premises import LIVE, NUMBERS, Premises
from tests.webhooks.switchboard import ACCOUNT, VOICE, Heard, Switchboard, a_call

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DEFECTS = [RuntimeError("boom"), KeyError("x"), RecursionError(), MemoryError(), ValueError("+13035550142")]
PLACES = [
    "routing.router.Router.route",
    "routing.index.lookup.CampaignIndex.arrive",
    "routing.arrival.decide",
    "prompts.render.Renderer.twiml",
    "webhooks.door.Door.admit",
    "webhooks.door.Door.call_in",
]


def raising(error: Exception) -> Callable[..., None]:
    def explode(*_: object, **__: object) -> None:
        raise error

    return explode


@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_raised_wherever_the_caller_hears_words(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    premises.warm()
    for error in DEFECTS:
        with monkeypatch.context() as patched:
            patched.setattr(place, raising(error))
            heard = premises.web.ring(LIVE, at=NOW)
        assert heard.verbs == ["Say", "Hangup"]
        assert heard.response.mimetype == "text/xml"
        assert b"html" not in heard.response.data.lower()
    counted = premises.web.metrics()
    (count,) = [counted[name] for name in counted if '_total{decision="last_resort"' in name]
    assert count >= len(DEFECTS)


@pytest.mark.parametrize("place", ["routing.recorder.Recorder.remember", "webhooks.door.Door.admit"])
@pytest.mark.parametrize("callback", ["dial", "status", "recording"])
def test_a_callback_that_fails_inside_is_taken_and_no_error_page(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, place: str, callback: str
) -> None:
    form = a_call(LIVE) | {
        "DialCallStatus": "busy",
        "RecordingStatus": "completed",
        "RecordingSid": "RE" + "1" * 32,
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE" + "1" * 32,
    }
    for error in DEFECTS[:2]:
        with monkeypatch.context() as patched:
            patched.setattr(place, raising(error))
            response = premises.web.post(f"/webhooks/twilio/{callback}", urlencode(form))
        assert response.status_code == (200 if callback == "dial" else 204)
        if callback == "dial":
            assert Heard(response).verbs == ["Say", "Hangup"]


class Clock(datetime):
    """`datetime.now` of one machine, away from `NOW` by what the test says."""

    away = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return (NOW + cls.away).astimezone(tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(Clock, "away", timedelta())
    monkeypatch.setattr(wsgi, "datetime", Clock)
    return Clock


def ring_now(board: Switchboard, to: str) -> tuple[list[str], str]:
    form = a_call(to)
    return Heard(board.post(VOICE, urlencode(form))).verbs, form["CallSid"]


def call_of(premises: Premises, sid: str) -> Call:
    with premises.database.reading() as session:
        call = call_by_sid(session, "twilio", sid)
    assert call is not None
    return call


def put_ending(premises: Premises, to: str, ends_at: datetime) -> None:
    with premises.database.session() as session:
        group = a_group(session, plan_id=a_plan(session).id).id
        campaign = a_campaign(
            session,
            group_id=group,
            starts_at=NOW - timedelta(days=90),
            ends_at=ends_at,
            end_of_campaign=EndOfCampaign.REFERRAL,
            business_name="Bay Bakery",
            business_number=PhoneNumber("+14155550190"),
        )
        a_number(session, PhoneNumber(to), campaign)


@pytest.mark.parametrize("fault", [Fault.OK, Fault.REFUSE])
def test_a_clock_that_jumps_an_hour_changes_no_answer_far_from_a_boundary(
    premises: Premises, clock: type[Clock], fault: Fault
) -> None:
    premises.warm()
    premises.redis_line.turn(fault)
    expected = {LIVE: ["Dial"], "+15005550102": ["Reject"]}
    sids = {}
    for away in (timedelta(), HOUR, -HOUR, HOUR, timedelta()):
        clock.away = away
        for to, verbs in expected.items():
            heard, sid = ring_now(premises.web, to)
            assert heard == verbs
            sids[sid] = away
    premises.redis_line.turn(Fault.OK)
    premises.drain()
    for sid, away in sids.items():
        assert call_of(premises, sid).started_at == NOW + away


def test_two_nodes_disagree_within_the_skew_of_a_boundary_only(
    premises: Premises, clock: type[Clock]
) -> None:
    to = "+15005550110"
    skew = 2 * MINUTE
    put_ending(premises, to, NOW + 10 * MINUTE)
    premises.warm()
    nodes = [(premises.web, timedelta()), (premises.start_web(), skew)]
    answers = []
    for minute in range(20):
        for node, ahead in nodes:
            clock.away = minute * MINUTE + ahead
            answers.append((minute, ring_now(node, to)[0] == ["Dial"]))
    by_minute = {m: {dials for _, dials in said} for m, said in itertools.groupby(answers, lambda a: a[0])}
    assert [m for m, said in by_minute.items() if len(said) > 1] == [8, 9]
    for node_answers in (answers[0::2], answers[1::2]):
        dials = [dials for _, dials in node_answers]
        assert dials == sorted(dials, reverse=True)  # each of them changes its mind once


def test_the_answer_changes_at_the_boundary_without_any_write(premises: Premises, clock: type[Clock]) -> None:
    to = "+15005550110"
    put_ending(premises, to, NOW)
    premises.warm()
    for away, first_verb in ((-SECOND, "Dial"), (timedelta(), "Say"), (SECOND, "Say"), (-SECOND, "Dial")):
        clock.away = away
        assert ring_now(premises.web, to)[0][0] == first_verb


def test_a_jump_neither_stops_the_copy_nor_makes_a_breaker_forget(
    premises: Premises, clock: type[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    premises.warm()
    for line in (premises.redis_line, premises.sql_line):
        line.turn(Fault.BLACKHOLE)
    premises.ring_all(rounds=2)
    premises.forget_times()
    for away in (HOUR, -HOUR):
        clock.away = away
        premises.ring_all()
    assert sorted(premises.rung.seconds)[len(NUMBERS)] < 1
    monkeypatch.setattr("scripts.host_files.datetime", clock)
    seconds = [0.0]
    keeper = HostKeeper(premises.direct, premises.database, clock=lambda: seconds[0])
    for away in (-HOUR, HOUR):
        clock.away = away
        before = premises.settings.snapshot.stat().st_ino
        keeper.keep()
        assert premises.settings.snapshot.stat().st_ino != before
        seconds[0] += 61

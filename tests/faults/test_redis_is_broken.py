"""Redis is broken in every way a network knows: answers stay right and quick, and no call is lost."""

import time
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from models.call import Call
from scripts.soak.fault_proxy import Fault
from tests.builders import NOW
from tests.faults.premises import LIVE, NUMBERS, Premises
from tests.webhooks.switchboard import VOICE, Heard, a_call

FIRST_FEW = 4
LONGEST = 4.0
QUICK = 1.0
# Each wait is just short of, or just beyond, what a caller is made to wait for Redis.
WAYS = [
    (Fault.REFUSE, 0),
    (Fault.RESET, 0),
    (Fault.BLACKHOLE, 0),
    (Fault.CUT, 0),
    (Fault.SLOW, 0.25),
    (Fault.SLOW, 0.2),
    (Fault.LATENCY, 0.2),
    (Fault.LATENCY, 0.3),
]
by_way = pytest.mark.parametrize(("fault", "pause"), WAYS)
by_slow_way = pytest.mark.parametrize(("fault", "pause"), [WAYS[2], WAYS[4], WAYS[5], WAYS[7]])


def in_time(seconds: list[float], first_few: int = FIRST_FEW) -> None:
    assert max(seconds) < LONGEST, seconds
    assert max(seconds[first_few:]) < QUICK, seconds


@by_way
def test_calls_are_answered_rightly_while_redis_is(premises: Premises, fault: Fault, pause: float) -> None:
    premises.warm()
    premises.redis_line.turn(fault, pause)
    began = time.monotonic()
    in_time(premises.ring_all(rounds=4))
    while time.monotonic() < began + 1.2:  # the breaker asks again at least once
        premises.ring_all()
        time.sleep(0.05)
    in_time(premises.rung.seconds)
    premises.redis_line.turn(Fault.OK)
    premises.ring_all()
    premises.every_call_is_logged_once()


@by_slow_way
def test_a_process_that_never_saw_redis_answers_as_well(
    premises: Premises, fault: Fault, pause: float
) -> None:
    premises.redis_line.turn(fault, pause)
    in_time(premises.ring_all(rounds=3))
    premises.every_call_is_logged_once()


@by_slow_way
def test_calls_to_no_number_and_reports_are_in_time_too(
    premises: Premises, fault: Fault, pause: float
) -> None:
    premises.warm()
    premises.redis_line.turn(fault, pause)
    seconds = []
    sids = []
    for _ in range(6):
        form = a_call("sip:sales@example.com") | {"HookswitchAt": NOW.isoformat()}
        sids.append(form["CallSid"])
        report = form | {"CallStatus": "completed", "CallDuration": "3"}
        for target, fields in ((VOICE, form), ("/webhooks/twilio/status", report)):
            began = time.monotonic()
            assert premises.web.post(target, urlencode(fields)).status_code in {200, 204}
            seconds.append(time.monotonic() - began)
    in_time(seconds)
    premises.redis_line.turn(Fault.OK)
    premises.drain()
    with premises.database.reading() as session:
        calls = session.scalars(select(Call).where(Call.call_sid.in_(sids))).all()
    assert sorted(call.call_sid for call in calls) == sorted(sids)


def test_a_frozen_redis_costs_three_calls_their_patience(premises: Premises) -> None:
    premises.warm()
    premises.redis_server.freeze()
    try:
        in_time(premises.ring_all(rounds=4))
    finally:
        premises.redis_server.thaw()
    premises.every_call_is_logged_once()


def test_redis_is_used_again_within_two_seconds_of_its_return(premises: Premises) -> None:
    premises.warm()
    premises.redis_line.turn(Fault.BLACKHOLE)
    premises.ring_all(rounds=2)
    premises.redis_line.turn(Fault.OK)
    premises.drain()
    before = premises.redis.xlen(premises.layout.journal(0))
    deadline = time.monotonic() + 2
    while premises.redis.xlen(premises.layout.journal(0)) == before:
        assert time.monotonic() < deadline
        premises.ring(LIVE)
        time.sleep(0.02)
    premises.every_call_is_logged_once()


def test_redis_may_blink_under_each_call(premises: Premises) -> None:
    premises.warm()
    for fault in (Fault.CUT, Fault.RESET, Fault.REFUSE, Fault.OK) * 3:
        premises.redis_line.turn(fault)
        for to in NUMBERS:
            premises.ring(to)
    in_time(premises.rung.seconds)
    premises.redis_line.turn(Fault.OK)
    premises.every_call_is_logged_once()


def test_a_repeated_call_that_took_both_ways_is_one_row(premises: Premises) -> None:
    """The carrier asks again after a time-out: journaled the first time, written to the log the second."""
    premises.warm()
    form = a_call(LIVE) | {"HookswitchAt": NOW.isoformat()}
    for fault in (Fault.OK, Fault.BLACKHOLE, Fault.OK):
        premises.redis_line.turn(fault)
        assert Heard(premises.web.post(VOICE, urlencode(form))).verbs == ["Dial"]
    premises.rung.sids.append(form["CallSid"])
    premises.every_call_is_logged_once()

"""Twilio's record of a call: what it says, and what cannot be read from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from routing.disposition import Disposition, Witness, rank
from routing.events import CallUpdate, EventKind
from tests.builders import BUSINESS, CALLER, NOW, TRACKING
from webhooks.carriers.errors import Malformed
from webhooks.carriers.twilio_records import call_in, is_inbound

CALL = "CA" + "a" * 32
LEG = "CA" + "b" * 32
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def at(second: int) -> str:
    return f"Wed, 04 Mar 2026 12:{second // 60:02}:{second % 60:02} +0000"


def noon(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def a_call(**said: Any) -> dict[str, Any]:
    return {
        "sid": CALL,
        "parent_call_sid": None,
        "direction": "inbound",
        "from": CALLER.e164,
        "to": TRACKING.e164,
        "status": "completed",
        "date_created": at(0),
        "start_time": at(0),
        "end_time": at(51),
        "duration": "51",
    } | said


def a_leg(**said: Any) -> dict[str, Any]:
    plain = {"sid": LEG, "parent_call_sid": CALL, "direction": "outbound-dial", "to": BUSINESS.e164}
    return a_call(**plain, date_created=at(2), start_time=at(9), duration="42") | said


def test_a_completed_call_has_its_times_and_its_weakest_word() -> None:
    call = call_in(a_call())
    assert (call.call_sid, call.parent_sid, call.dialled, call.caller) == (CALL, None, TRACKING, CALLER)
    assert (call.began_at, call.ended_at) == (noon(0), noon(51))
    assert call.update == CallUpdate(
        disposition=Disposition.COMPLETED,
        disposition_rank=rank(Witness.CALL, Disposition.COMPLETED),
        started_at=noon(0),
        ended_at=noon(51),
        duration_seconds=51,
    )


def test_a_completed_leg_was_answered_its_duration_before_its_end() -> None:
    leg = call_in(a_leg())
    assert (leg.parent_sid, leg.dialled) == (CALL, BUSINESS)
    assert leg.update == CallUpdate(
        disposition=Disposition.COMPLETED,
        disposition_rank=rank(Witness.LEG, Disposition.COMPLETED),
        started_at=noon(2),
        rang_at=noon(2),
        answered_at=noon(9),
        talk_seconds=42,
        answering_leg=LEG,
        answering_leg_rank=1,
    )
    assert leg.update.ring_seconds == 7


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_leg_that_nobody_answered_rang_until_its_end(status: str) -> None:
    update = call_in(a_leg(status=status, end_time=at(27), duration="0")).update
    assert (update.disposition, update.answered_at, update.talk_seconds) == (status, None, None)
    assert (update.rang_until, update.ring_seconds) == (noon(27), 25)


def test_a_leg_without_an_end_rang_nobody_knows_how_long() -> None:
    update = call_in(a_leg(status="no-answer", end_time=None, duration=None)).update
    assert (update.rang_at, update.rang_until, update.ring_seconds) == (noon(2), None, None)


@pytest.mark.parametrize(
    ("end_time", "duration", "ended"),
    [(at(51), "51", 51), (None, "20", 20), ("", "", 0), ("nonsense", None, 0), (None, 7, 7)],
)
def test_a_call_that_is_over_has_an_end(end_time: object, duration: object, ended: int) -> None:
    call = call_in(a_call(status="no-answer", end_time=end_time, duration=duration))
    assert call.ended_at == call.update.ended_at == noon(ended)


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "levitating"])
def test_a_call_that_goes_on_has_no_end(status: str) -> None:
    call = call_in(a_call(status=status, end_time=None, duration=None))
    assert (call.ended_at, call.update) == (None, CallUpdate(started_at=noon(0)))


def test_a_call_that_was_not_dialled_yet_began_when_it_was_made() -> None:
    assert call_in(a_call(start_time=None, date_created=at(3))).began_at == noon(3)


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "client:joe", "", None])
def test_a_withheld_caller_is_none(caller: str | None) -> None:
    assert call_in(a_call(**{"from": caller})).caller is None


def test_what_is_no_number_is_kept_shortened() -> None:
    call = call_in(a_call(to="sip:sales@example.com" + "x" * 99))
    assert (call.dialled, len(call.dialled_text)) == (None, 64)


NONSENSE: dict[str, list[object]] = {
    "sid": [None, "", "CA1", CALL + "0", "XX" + CALL[2:], 7, []],
    "parent_call_sid": ["CA1", 7],
    "status": [None, "", "A B", "x" * 33, {}],
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name in NONSENSE for value in NONSENSE[name]])
def test_a_record_that_does_not_name_itself_is_malformed(field: str, value: object) -> None:
    with pytest.raises(Malformed, match=field):
        call_in(a_call(**{field: value}))


@pytest.mark.parametrize(
    "stamp", ["noon", "", None, 7, "Fri, 31 Dec 9999 23:59:59 +0000", "Mon, 01 Jan 1900 00:00:00 +0000"]
)
def test_a_record_without_any_instant_is_malformed(stamp: object) -> None:
    with pytest.raises(Malformed, match="start_time"):
        call_in(a_call(start_time=stamp, date_created=stamp))


@pytest.mark.parametrize(
    ("direction", "counts"),
    [("inbound", True), ("outbound-dial", False), ("outbound-api", False), ("trunking-originating", False)],
)
def test_only_calls_to_a_webhook_are_inbound(direction: str, counts: bool) -> None:  # noqa: FBT001
    assert is_inbound(a_call(direction=direction)) == counts


def test_a_record_is_the_same_event_each_time_it_is_read() -> None:
    call, leg = call_in(a_call()).event(NOW), call_in(a_leg()).event(NOW)
    assert (call.kind, call.call_sid, call.key) == (EventKind.CALL, CALL, "record:call:completed")
    assert (leg.kind, leg.call_sid, leg.key) == (EventKind.LEG, CALL, f"record:leg:{LEG}:completed")
    assert (call.received_at, call.update.reconciled_at) == (NOW, NOW)
    later = call_in(a_call()).event(NOW + timedelta(1))
    assert replace(later.update, reconciled_at=NOW) == call.update
    assert call.raw["status"] == "completed"
    assert CALLER.e164 not in repr(call)


names = st.sampled_from(sorted(a_call()))
values = st.sampled_from([CALL, LEG, "completed", "ringing", "5", at(5), TRACKING.e164]) | st.none()
odd = st.text(max_size=9) | st.integers() | st.floats() | st.lists(st.integers(), max_size=2) | st.booleans()


@given(st.dictionaries(names, values | odd))
def test_whatever_a_record_holds_it_is_a_call_or_malformed(said: dict[str, Any]) -> None:
    try:
        call = call_in(a_call(**said))
    except Malformed:
        return
    assert call.event(NOW).call_sid.startswith("CA")

"""Twilio's reports on a call: what is read from them, what is kept, and what is not taken."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind, merge
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form
from webhooks.carriers.twilio_events import TwilioEvents

ACCOUNT = "AC" + "0123456789abcdef" * 2
CALL = "CA" + "0123456789ABCDEF" * 2
LEG = "CA" + "f" * 32
OTHER_LEG = "CA" + "e" * 32
RECORDING = "RE" + "a" * 32
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}"
NOW = datetime(2026, 3, 4, 12, 1, 0, 250_000, tzinfo=UTC)
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

twilio = TwilioEvents(ACCOUNT)
Said = str | bytes | None


def a_form(plain: Mapping[str, Said], said: Mapping[str, Said]) -> Form:
    """The fields of a request; None leaves one out."""
    return Form(
        [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in {"AccountSid": ACCOUNT, **plain, **said}.items()
            if value is not None
        ]
    )


def at(second: int) -> str:
    return f"Wed, 04 Mar 2026 12:00:{second:02} +0000"


def noon(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def dial(**said: Said) -> CallEvent:
    plain = {"CallSid": CALL, "DialCallSid": LEG, "DialCallStatus": "completed", "DialCallDuration": "30"}
    return twilio.dial_ended(a_form(plain, said), NOW)


def leg(status: str, second: int = 0, **said: Said) -> CallEvent:
    plain = {"CallSid": LEG, "ParentCallSid": CALL, "CallStatus": status, "Timestamp": at(second)}
    return twilio.status(a_form(plain | {"CallbackSource": "call-progress-events"}, said), NOW)


def call(status: str, second: int = 0, **said: Said) -> CallEvent:
    return twilio.status(a_form({"CallSid": CALL, "CallStatus": status, "Timestamp": at(second)}, said), NOW)


def recording(status: str = "completed", **said: Said) -> CallEvent:
    plain = {
        "CallSid": CALL,
        "RecordingSid": RECORDING,
        "RecordingStatus": status,
        "RecordingUrl": URL,
        "RecordingDuration": "29",
        "RecordingStartTime": at(10),
    }
    return twilio.recording_status(a_form(plain, said), NOW)


REPORTS: list[Callable[..., CallEvent]] = [
    dial,
    lambda **said: leg("completed", **said),
    lambda **said: call("completed", **said),
    recording,
]


def test_an_answered_call_adds_up() -> None:
    events = [
        leg("initiated", 1),
        leg("ringing", 3),
        leg("in-progress", 9),
        leg("completed", 39, CallDuration="30"),
        dial(),
        recording(),
        call("completed", 40, CallDuration="39"),
    ]
    random.Random(3).shuffle(events)  # noqa: S311
    whole = reduce(merge, (event.update for event in events))
    assert whole == CallUpdate(
        disposition=Disposition.COMPLETED,
        disposition_rank=rank(Witness.DIAL, Disposition.COMPLETED),
        started_at=noon(1),
        rang_at=noon(3),
        answered_at=noon(9),
        ended_at=noon(40),
        talk_seconds=30,
        duration_seconds=39,
        answering_leg=LEG,
        answering_leg_rank=2,
        recording_sid=RECORDING,
        recording_url=URL,
        recording_seconds=29,
    )
    assert whole.ring_seconds == 6


def test_a_call_that_nobody_answered_adds_up() -> None:
    events = [
        dial(DialCallStatus="no-answer", DialCallDuration=None),
        leg("no-answer", 28, CallDuration="0"),
        call("completed", 35, CallDuration="35"),
        leg("ringing", 3),
    ]
    whole = reduce(merge, (event.update for event in events))
    assert (whole.disposition, whole.answered_at, whole.talk_seconds) == (Disposition.NO_ANSWER, None, None)
    assert (whole.ring_seconds, whole.duration_seconds, whole.answering_leg) == (25, 35, None)


def test_of_phones_that_ring_together_the_one_that_answered_counts() -> None:
    events = [
        leg("ringing", 2),
        leg("canceled", 8),
        leg("ringing", 3, CallSid=OTHER_LEG),
        leg("in-progress", 8, CallSid=OTHER_LEG),
        leg("completed", 20, CallSid=OTHER_LEG, CallDuration="12"),
    ]
    whole = reduce(merge, (event.update for event in events))
    assert (whole.disposition, whole.answering_leg) == (Disposition.COMPLETED, OTHER_LEG)
    assert (whole.ring_seconds, whole.talk_seconds) == (6, 12)


# The end of the dial


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("completed", Disposition.COMPLETED),
        ("answered", Disposition.COMPLETED),
        ("busy", Disposition.BUSY),
        ("no-answer", Disposition.NO_ANSWER),
        ("failed", Disposition.FAILED),
        ("canceled", Disposition.CANCELED),
        ("abducted", None),
        ("", None),
        (None, None),
        (b"\xff", None),
    ],
)
def test_the_end_of_a_dial_says_how_it_went(status: Said, disposition: Disposition | None) -> None:
    event = dial(DialCallStatus=status)
    assert (event.kind, event.key, event.call_sid) == (EventKind.DIAL, f"dial:{LEG}", CALL)
    assert (event.occurred_at, event.received_at) == (None, NOW)
    assert event.update.disposition == disposition
    assert event.update.disposition_rank == (disposition and rank(Witness.DIAL, disposition))
    answered = disposition is Disposition.COMPLETED
    assert event.update.talk_seconds == (30 if answered else None)
    assert event.update.answering_leg == (LEG if answered else None)


def test_a_dial_without_a_leg_still_ended() -> None:
    for nonsense in (None, "", "x", "CA1"):
        event = dial(DialCallSid=nonsense, DialCallStatus="busy")
        assert (event.key, event.update.answering_leg) == ("dial", None)
        assert event.update.disposition is Disposition.BUSY


@pytest.mark.parametrize("duration", [None, "", "-1", "abc", "1.5", "1e3", "٣", "9" * 30, b"\xff", " 7"])
def test_a_duration_that_is_none_says_nothing(duration: Said) -> None:
    assert dial(DialCallDuration=duration).update.talk_seconds is None
    assert leg("completed", CallDuration=duration).update.talk_seconds is None
    assert call("completed", CallDuration=duration).update.duration_seconds is None
    assert recording(RecordingDuration=duration).update.recording_seconds is None


@pytest.mark.parametrize(
    ("bridged", "disposition"),
    [("true", "completed"), ("false", "no-answer"), ("False", "no-answer"), ("", "completed")],
)
def test_a_business_that_left_during_the_whisper_did_not_talk(bridged: str, disposition: str) -> None:
    update = dial(DialBridged=bridged).update
    assert update.disposition == disposition
    assert (update.talk_seconds is None) == (disposition == "no-answer")


def test_a_dial_may_announce_its_recording() -> None:
    assert dial(RecordingUrl=URL).update.recording_sid == RECORDING
    assert dial(RecordingUrl=URL, RecordingDuration="9").update.recording_seconds == 9
    assert dial(RecordingUrl="https://example.com/a.wav").update.recording_sid is None
    assert dial(RecordingUrl=None).update.recording_url is None


# Legs and calls


@pytest.mark.parametrize(
    ("status", "word"),
    [("initiated", "initiated"), ("ringing", "ringing"), ("in-progress", "answered"), ("busy", "busy")],
)
def test_a_leg_reports_under_its_parent(status: str, word: str) -> None:
    event = leg(status, 7)
    assert (event.kind, event.call_sid, event.key) == (EventKind.LEG, CALL, f"leg:{LEG}:{word}")
    assert event.occurred_at == noon(7)


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress"])
def test_a_call_that_goes_on_has_no_end(status: str) -> None:
    event = call(status, 7)
    assert (event.kind, event.update) == (EventKind.CALL, CallUpdate(started_at=noon(7)))


def test_a_call_ends_when_its_own_leg_does() -> None:
    update = call("completed", 50, CallDuration="20").update
    assert (update.ended_at, update.started_at, update.duration_seconds) == (noon(50), noon(30), 20)
    assert leg("completed", 50).update.ended_at is None
    assert dial().update.ended_at is None


def test_a_repeated_report_has_the_same_key_and_another_one_has_not() -> None:
    events = [leg("ringing", n) for n in (1, 2)] + [leg("ringing", 1, CallSid=OTHER_LEG), leg("busy", 1)]
    assert len({event.key for event in events}) == 3


def test_a_status_that_we_do_not_know_is_kept() -> None:
    event = leg("beamed-up")
    assert (event.key, event.update.disposition) == (f"leg:{LEG}:beamed-up", None)
    assert event.raw["CallStatus"] == "beamed-up"
    assert call("é!\0" + "x" * 500).key == "call:" + "x" * 29


@pytest.mark.parametrize(
    "stamp",
    [None, "", "yesterday", "2026-03-04T12:00:00Z", "Wed, 04 Mar 2026 25:00:00 +0000", "9" * 100, b"\xff\0"],
)
def test_without_a_readable_stamp_our_own_clock_counts(stamp: Said) -> None:
    event = call("completed", Timestamp=stamp)
    assert (event.occurred_at, event.update.ended_at) == (None, NOW)


@pytest.mark.parametrize(
    "stamp", ["Wed, 04 Mar 2026 12:00:00 GMT", "04 Mar 2026 12:00:00 -0000", "04 Mar 2026 14:00:00 +0200"]
)
def test_stamps_are_instants_in_utc(stamp: str) -> None:
    moment = call("ringing", Timestamp=stamp).occurred_at
    assert moment == NOON
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("ahead", "believed"),
    [(timedelta(hours=24), True), (timedelta(hours=24, seconds=1), False), (timedelta(-30), True)],
)
def test_a_stamp_from_the_future_is_not_believed(ahead: timedelta, believed: bool) -> None:  # noqa: FBT001
    stamp = (NOW.replace(microsecond=0) + ahead).strftime("%a, %d %b %Y %H:%M:%S +0000")
    received_at = NOW.replace(microsecond=0)
    form = a_form({"CallSid": CALL, "CallStatus": "completed", "Timestamp": stamp}, {})
    assert (twilio.call_status(form, received_at).occurred_at is not None) == believed


# Recordings


def test_a_recording_keeps_its_reference() -> None:
    event = recording()
    assert (event.kind, event.key) == (EventKind.RECORDING, f"recording:{RECORDING}:completed")
    assert event.occurred_at == noon(39)
    update = event.update
    assert (update.recording_sid, update.recording_url, update.recording_seconds) == (RECORDING, URL, 29)


@pytest.mark.parametrize("status", ["in-progress", "absent", "failed", "molten"])
def test_a_recording_that_is_not_complete_has_no_address(status: str) -> None:
    event = recording(status)
    assert event.key == f"recording:{RECORDING}:{status}"
    assert (event.update.recording_sid, event.update.recording_url) == (None, None)


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "file:///etc/passwd", "https://a b", "https://" + "a" * 600]
)
def test_an_address_that_is_none_is_kept_only_as_it_was_sent(url: str) -> None:
    event = recording(RecordingUrl=url)
    assert event.update.recording_url is None
    assert event.raw.get("RecordingUrl", "") == url[:256]


# What is not taken


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("sid", [None, "", "CA1", CALL + "0", "XX" + CALL[2:], CALL + "\n", b"\xff" * 34])
def test_a_report_names_its_call(report: Callable[..., CallEvent], sid: Said) -> None:
    with pytest.raises(Malformed, match="CallSid"):
        report(CallSid=sid)


@pytest.mark.parametrize("sid", ["", "CA1", CALL + "0"])
def test_a_leg_names_its_parent(sid: str) -> None:
    with pytest.raises(Malformed, match="ParentCallSid"):
        leg("ringing", ParentCallSid=sid)


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_for_another_account_is_refused(report: Callable[..., CallEvent]) -> None:
    with pytest.raises(ForeignAccount):
        report(AccountSid="AC" + "0" * 32)
    with pytest.raises(Malformed, match="AccountSid"):
        report(AccountSid=None)


def test_a_status_that_is_missing_is_malformed() -> None:
    for status in (None, "", "\0", "!!"):
        with pytest.raises(Malformed, match="CallStatus"):
            call("completed", CallStatus=status)
        with pytest.raises(Malformed, match="RecordingStatus"):
            recording(RecordingStatus=status)


@pytest.mark.parametrize("field", ["CallSid", "ParentCallSid", "AccountSid", "CallStatus"])
def test_what_names_the_event_comes_once(field: str) -> None:
    form = a_form({"CallSid": LEG, "ParentCallSid": CALL, "CallStatus": "ringing"}, {})
    form.fields.append((field.encode(), form.text(field).encode()))
    with pytest.raises(Malformed, match=field):
        twilio.status(form, NOW)


@pytest.mark.parametrize("sid", [None, "", CALL, "RE1"])
def test_a_recording_names_itself(sid: Said) -> None:
    with pytest.raises(Malformed, match="RecordingSid"):
        recording(RecordingSid=sid)


# What is kept


def test_fields_are_kept_without_secrets_empties_and_twins() -> None:
    said = {
        "CallToken": "%7B",
        "SipHeader_X-Auth": "Bearer",
        "AuthToken": "1",
        "Digits": "4111",
        "SpeechResult": "my card",
        "ToCity": "",
        "To": "+14155550123",
        "Called": "+14155550123",
        "FromState": "CO",
        "CallerState": "CA",
        "CallerName": "ACME",
        "Brand\0New": "f\0ield",
    }
    assert call("completed", 1, **said).raw == {
        "AccountSid": ACCOUNT,
        "CallSid": CALL,
        "CallStatus": "completed",
        "Timestamp": at(1),
        "To": "+14155550123",
        "FromState": "CO",
        "CallerState": "CA",
        "CallerName": "ACME",
        "BrandNew": "field",
    }


def test_what_is_kept_is_limited() -> None:
    raw = call("completed", 1, **{f"Field{n}": "x" * 300 for n in range(300)}, **{"N" * 65: "1"}).raw
    assert len(raw) == 64
    assert {len(value) for name, value in raw.items() if name.startswith("Field")} == {256}
    assert "N" * 65 not in raw


def test_an_event_shows_no_fields_where_it_is_printed() -> None:
    assert "4155550123" not in repr(call("completed", From="+14155550123"))


names = st.sampled_from(
    [
        *("CallSid", "ParentCallSid", "AccountSid", "CallStatus", "Timestamp", "CallDuration"),
        *("DialCallStatus", "DialCallSid", "DialCallDuration"),
        *("RecordingSid", "RecordingStatus", "RecordingUrl", "RecordingStartTime"),
    ]
)
values = st.sampled_from([CALL, LEG, ACCOUNT, RECORDING, URL, "completed", "5", at(5)]).map(
    str.encode
) | st.binary(max_size=12)


@given(st.lists(st.tuples(names.map(str.encode), values), max_size=12))
def test_whatever_is_sent_is_an_event_or_refused(fields: list[tuple[bytes, bytes]]) -> None:
    form = Form([(b"AccountSid", ACCOUNT.encode()), (b"CallSid", CALL.encode()), *fields])
    for read in (twilio.dial_ended, twilio.status, twilio.recording_status):
        try:
            event = read(form, NOW)
        except (Malformed, ForeignAccount):
            continue
        assert event.call_sid.startswith("CA")

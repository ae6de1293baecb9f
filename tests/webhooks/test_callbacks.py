"""What the carrier reports afterwards: taken once, in any order, and the caller hears something sensible."""

import random
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
import responses

from models.call import Call, recent
from models.call_event import events_of
from models.prompt import PromptKind
from models.tracking_number import held_number
from prompts import phrases
from routing.numbers import PhoneNumber
from tests.builders import BUSINESS, NOW, a_campaign, a_group, a_number, a_text_prompt
from tests.webhooks.switchboard import VOICE, Heard, Switchboard, a_call

DIALLED = "+15005550100"
SID = "CA" + "a" * 32
LEG = "CA" + "b" * 32
DIAL, STATUS, RECORDING = (f"/webhooks/twilio/{event}" for event in ("dial", "status", "recording"))

DIAL_ENDED = {"DialCallSid": LEG, "DialCallStatus": "completed", "DialCallDuration": "42"}
LEG_FIELDS = {
    "CallSid": LEG,
    "ParentCallSid": SID,
    "To": BUSINESS.e164,
    "Direction": "outbound-dial",
    "CallbackSource": "call-progress-events",
}
RANG = LEG_FIELDS | {
    "CallStatus": "ringing",
    "SequenceNumber": "1",
    "Timestamp": "Wed, 04 Mar 2026 12:00:02 +0000",
}
ANSWERED = LEG_FIELDS | {
    "CallStatus": "in-progress",
    "SequenceNumber": "2",
    "Timestamp": "Wed, 04 Mar 2026 12:00:09 +0000",
}
HUNG_UP = LEG_FIELDS | {
    "CallStatus": "completed",
    "SequenceNumber": "3",
    "CallDuration": "42",
    "Timestamp": "Wed, 04 Mar 2026 12:00:51 +0000",
}
ENDED = {"CallStatus": "completed", "CallDuration": "51", "Timestamp": "Wed, 04 Mar 2026 12:00:52 +0000"}
RECORDED = {
    "RecordingSid": "RE" + "c" * 32,
    "RecordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/RE",
    "RecordingStatus": "completed",
    "RecordingDuration": "40",
    "RecordingSource": "DialVerb",
}
LIFE = [(DIAL, DIAL_ENDED), (STATUS, RANG), (STATUS, ANSWERED), (STATUS, HUNG_UP), (STATUS, ENDED)]


@pytest.fixture(autouse=True)
def a_live_number(switchboard: Switchboard) -> None:
    with switchboard.database.session() as session:
        group = a_group(session)
        prompt = a_text_prompt(session, group_id=group.id, kind=PromptKind.TEXT, language="de")
        campaign = a_campaign(session, group_id=group.id, prompt_id=prompt.id)
        a_number(session, PhoneNumber(DIALLED), campaign, whisper="A call from the leaflet")
    switchboard.rebuild_index()


def report(board: Switchboard, target: str, fields: dict[str, str]) -> int:
    return board.post(target, urlencode(a_call(DIALLED, CallSid=SID) | fields)).status_code


def row(board: Switchboard) -> Call:
    board.drain()
    with board.database.reading() as session:
        (call,) = recent(session, 10)
        return call


def story(call: Call) -> tuple[object, ...]:
    return (
        call.decision,
        call.disposition,
        call.answering_leg,
        call.ring_seconds,
        call.talk_seconds,
        call.duration_seconds,
        call.answered_at,
        call.ended_at,
    )


def live_through(board: Switchboard, reports: list[tuple[str, dict[str, str]]]) -> None:
    for target, fields in reports:
        if target == VOICE:
            board.ring(DIALLED, at=NOW, **fields)
        else:
            assert report(board, target, fields) in {200, 204}


def test_a_whole_call_is_one_row_with_its_times(switchboard: Switchboard) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID}), *LIFE])
    call = row(switchboard)
    assert (call.decision, call.disposition, call.answering_leg) == ("connect", "completed", LEG)
    assert (call.ring_seconds, call.talk_seconds, call.duration_seconds) == (7, 42, 51)


def test_any_order_with_repetitions_ends_in_the_same_row(switchboard: Switchboard) -> None:
    reports = [(VOICE, {"CallSid": SID}), *LIFE]
    live_through(switchboard, reports)
    expected = story(row(switchboard))
    chance = random.Random(7)  # noqa: S311 - the same orders in each run
    for _ in range(6):
        with switchboard.database.session() as session:
            session.connection().exec_driver_sql("DELETE FROM call_events")
            session.connection().exec_driver_sql("DELETE FROM calls")
        shuffled = chance.sample(reports * 3, k=len(reports) * 3)
        for start in range(0, len(shuffled), 5):
            live_through(switchboard, shuffled[start : start + 5])
            switchboard.drain()
        assert story(row(switchboard)) == expected


def test_the_same_status_ten_times_is_one_event(switchboard: Switchboard) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID}), *[(STATUS, HUNG_UP)] * 10])
    call = row(switchboard)
    assert call.talk_seconds == 42
    with switchboard.database.reading() as session:
        assert len(events_of(session, call)) == 1


def test_the_same_status_ten_times_at_once_is_one_event(switchboard: Switchboard) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID})])
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _n: report(switchboard, STATUS, HUNG_UP), range(10)))
        list(pool.map(lambda _n: switchboard.drain(), range(2)))
    call = row(switchboard)
    assert (answers, call.talk_seconds) == ([204] * 10, 42)
    with switchboard.database.reading() as session:
        assert len(events_of(session, call)) == 1


@pytest.mark.parametrize("first", [(STATUS, ENDED), (STATUS, HUNG_UP), (DIAL, DIAL_ENDED)])
def test_a_report_before_its_call_is_kept_for_it(
    switchboard: Switchboard, first: tuple[str, dict[str, str]]
) -> None:
    live_through(switchboard, [first])
    assert (row(switchboard).decision, row(switchboard).disposition) == (None, "completed")
    live_through(switchboard, [(STATUS, RANG), (VOICE, {"CallSid": SID})])
    assert (row(switchboard).decision, row(switchboard).disposition) == ("connect", "completed")


def test_late_news_never_undoes_a_final_disposition(switchboard: Switchboard) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID}), (DIAL, DIAL_ENDED)])
    assert row(switchboard).disposition == "completed"
    live_through(switchboard, [(STATUS, RANG), (STATUS, ENDED | {"CallStatus": "no-answer"})])
    assert row(switchboard).disposition == "completed"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("completed", ""),
        ("answered", ""),
        ("busy", phrases.of("de").busy),
        ("no-answer", phrases.of("de").no_answer),
        ("failed", phrases.of("de").no_answer),
        ("canceled", ""),
        ("teleported", ""),
    ],
)
def test_after_the_dial_the_caller_hears_why_nobody_answered_in_his_language(
    switchboard: Switchboard, status: str, said: str
) -> None:
    body = urlencode(a_call(DIALLED, CallSid=SID, DialCallStatus=status))
    heard = Heard(switchboard.post(DIAL, body))
    assert heard.spoken == said
    assert heard.verbs[-1] == "Hangup"


def test_a_dial_that_ended_without_a_word_is_hung_up(switchboard: Switchboard) -> None:
    assert Heard(switchboard.post(DIAL, urlencode(a_call(DIALLED, CallSid=SID)))).verbs == ["Hangup"]
    assert row(switchboard).disposition is None


@pytest.mark.parametrize("duration", ["", "-5", "abc", "9" * 30])
def test_a_senseless_duration_is_no_duration(switchboard: Switchboard, duration: str) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID})])
    fields = {"DialCallStatus": "completed", "DialCallDuration": duration}
    assert report(switchboard, DIAL, fields) == 200
    call = row(switchboard)
    assert (call.disposition, call.talk_seconds) == ("completed", None)


def test_a_word_we_do_not_know_is_kept_as_it_was_sent(switchboard: Switchboard) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID})])
    assert report(switchboard, STATUS, {"CallStatus": "teleported"}) == 204
    call = row(switchboard)
    with switchboard.database.reading() as session:
        (event,) = events_of(session, call)
    assert event.raw["CallStatus"] == "teleported"


def test_a_recording_is_referred_to_once_however_late_and_often(switchboard: Switchboard) -> None:
    live_through(switchboard, [(RECORDING, RECORDED), (RECORDING, RECORDED), (VOICE, {"CallSid": SID})])
    call = row(switchboard)
    assert (call.recording_sid, call.recording_seconds) == (RECORDED["RecordingSid"], 40)
    assert call.decision == "connect"
    with switchboard.database.reading() as session:
        assert [event.key for event in events_of(session, call)] == [
            f"recording:{RECORDED['RecordingSid']}:completed"
        ]


def test_a_recording_of_an_unknown_call_waits_for_its_call(switchboard: Switchboard) -> None:
    live_through(switchboard, [(RECORDING, RECORDED)])
    call = row(switchboard)
    assert (call.decision, call.recording_url) == (None, RECORDED["RecordingUrl"])
    live_through(switchboard, [(VOICE, {"CallSid": SID})])
    call = row(switchboard)
    assert (call.decision, call.recording_url) == ("connect", RECORDED["RecordingUrl"])


def test_a_recording_that_comes_a_day_late_belongs_to_its_call_and_moves_no_time(
    switchboard: Switchboard,
) -> None:
    live_through(switchboard, [(VOICE, {"CallSid": SID}), *LIFE])
    before = story(row(switchboard))
    began = {"RecordingStartTime": "Wed, 04 Mar 2026 12:00:09 +0000"}
    live_through(switchboard, [(RECORDING, RECORDED | began)])
    call = row(switchboard)
    assert (story(call), call.started_at) == (before, NOW)
    assert call.recording_url == RECORDED["RecordingUrl"]


def test_a_recording_that_is_absent_is_kept_as_news_and_is_none(switchboard: Switchboard) -> None:
    absent = RECORDED | {"RecordingStatus": "absent", "ErrorCode": "0"}
    live_through(switchboard, [(VOICE, {"CallSid": SID}), (RECORDING, absent), (RECORDING, absent)])
    call = row(switchboard)
    assert (call.recording_sid, call.recording_url) == (None, None)
    with switchboard.database.reading() as session:
        (event,) = events_of(session, call)
    assert event.raw["RecordingStatus"] == "absent"
    live_through(switchboard, [(RECORDING, RECORDED)])
    assert row(switchboard).recording_url == RECORDED["RecordingUrl"]


@responses.activate
def test_a_recording_on_a_foreign_host_is_noted_and_not_fetched(switchboard: Switchboard) -> None:
    foreign = RECORDED | {"RecordingUrl": "https://evil.example/Recordings/RE"}
    live_through(switchboard, [(VOICE, {"CallSid": SID}), (RECORDING, foreign)])
    assert row(switchboard).recording_url == "https://evil.example/Recordings/RE"
    assert len(responses.calls) == 0


@pytest.mark.parametrize(("records", "version"), [(True, phrases.CONSENT_VERSION), (False, None)])
def test_a_recorded_call_keeps_which_text_told_the_caller(
    switchboard: Switchboard,
    records: bool,  # noqa: FBT001
    version: str | None,
) -> None:
    with switchboard.database.session() as session:
        held_number(session, PhoneNumber(DIALLED)).record_calls = records  # type: ignore[union-attr]
    switchboard.publish()
    heard = switchboard.ring(DIALLED, at=NOW, CallSid=SID)
    assert heard.verbs == (["Say", "Dial"] if records else ["Dial"])
    assert row(switchboard).consent_version == version


def test_the_business_hears_the_whisper_of_the_number(switchboard: Switchboard) -> None:
    heard = switchboard.ring(DIALLED, at=NOW)
    address = heard.document.find("Dial/Number")
    assert address is not None
    target = address.attrib["url"].removeprefix(switchboard.settings.public_base_url)
    body = urlencode(a_call(BUSINESS.e164, CallSid=LEG, ParentCallSid=SID))
    assert Heard(switchboard.post(target, body)).spoken == "A call from the leaflet"


@pytest.mark.parametrize("number", ["999", "0", "x", "9" * 40])
def test_a_whisper_that_is_not_there_bridges_at_once(switchboard: Switchboard, number: str) -> None:
    response = switchboard.post(f"/webhooks/twilio/whisper/{number}", urlencode(a_call(BUSINESS.e164)))
    assert Heard(response).verbs == []


@pytest.mark.parametrize("target", [DIAL, STATUS, RECORDING, "/webhooks/twilio/whisper/1"])
def test_no_callback_is_taken_without_a_signature(switchboard: Switchboard, target: str) -> None:
    assert switchboard.web.post(target, data=a_call(DIALLED)).status_code == 403
    assert switchboard.web.get(target).status_code == 405


@pytest.mark.parametrize("target", [DIAL, STATUS, RECORDING])
def test_a_callback_for_another_account_is_refused(switchboard: Switchboard, target: str) -> None:
    body = urlencode(a_call(DIALLED, AccountSid="AC" + "9" * 32) | DIAL_ENDED | RECORDED)
    assert switchboard.post(target, body).status_code == 403


@pytest.mark.parametrize("target", [STATUS, RECORDING])
def test_a_status_is_answered_with_nothing_to_say(switchboard: Switchboard, target: str) -> None:
    response = switchboard.post(target, urlencode(a_call(DIALLED, CallSid=SID) | ENDED | RECORDED))
    assert (response.status_code, response.data) == (204, b"")

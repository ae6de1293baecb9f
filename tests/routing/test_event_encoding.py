"""The written form of reported events: it comes back unchanged, or not at all."""

import json
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.disposition import Disposition
from routing.encoding import Unreadable
from routing.event_encoding import decode_event, encode_event
from routing.events import NOTHING, CallEvent, CallUpdate, EventKind
from tests.routing.event_strategies import NOON, events

SMALLEST = {"carrier": "twilio", "sid": "CA1", "kind": "dial", "key": "dial", "at": "2026-03-04T12:00:00Z"}


def written(**members: object) -> bytes:
    """An event as some other version might have written it."""
    return json.dumps(SMALLEST | members).encode()


@given(events)
def test_an_event_comes_back_as_it_was(event: CallEvent) -> None:
    assert decode_event(encode_event(event)) == event


@given(events)
def test_equal_events_are_written_in_equal_bytes(event: CallEvent) -> None:
    assert encode_event(decode_event(encode_event(event))) == encode_event(event)


def test_members_that_an_older_version_did_not_write_take_their_default() -> None:
    event = decode_event(written())
    assert event == CallEvent("twilio", "CA1", EventKind.DIAL, "dial", None, NOON)
    assert event.update is NOTHING


def test_members_of_a_newer_version_are_ignored() -> None:
    event = decode_event(written(mood=[1], update={"disposition": "busy", "smell": {"of": "rose"}}))
    assert event.update == CallUpdate(disposition=Disposition.BUSY)


def test_an_event_says_only_what_it_knows() -> None:
    assert json.loads(encode_event(decode_event(written()))) == SMALLEST


def test_instants_are_read_as_utc_in_whatever_zone_they_were_written() -> None:
    local = NOON.astimezone(ZoneInfo("America/New_York"))
    event = CallEvent("twilio", "CA1", EventKind.CALL, "k", local, local, CallUpdate(ended_at=local))
    again = decode_event(encode_event(event))
    for moment in (again.occurred_at, again.received_at, again.update.ended_at):
        assert moment == NOON
        assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 100_000, written()[:-1], written() + b"x"),
        *(written(at=None), written(at="2026-03-04T12:00:00"), written(occurred="2026-03-04T12:00:00")),
        *(written(update={"ended_at": "2026-03-04T12:00:00"}), written(update={"ended_at": 7})),
        *(written(at="0001-01-01T00:00:00+02:00"), written(update={"rang_at": "9999-12-31T23:59:59-02:00"})),
        *(written(kind="party"), written(kind=None), written(key=7), written(sid=None), written(update=7)),
        *(written(update={"disposition": "abducted"}), written(update={"talk_seconds": "7"})),
        *(written(raw=[]), written(raw={"a": 1}), written(raw=None)),
    ],
)
def test_what_is_no_event_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_event(raw)


@given(events, st.data())
def test_what_was_cut_off_is_unreadable(event: CallEvent, data: st.DataObject) -> None:
    raw = encode_event(event)
    with pytest.raises(Unreadable):
        decode_event(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(st.binary(max_size=200), events, st.data())
def test_any_bytes_are_an_event_or_unreadable(noise: bytes, event: CallEvent, data: st.DataObject) -> None:
    whole = encode_event(event)
    at = data.draw(st.integers(0, len(whole)))
    for raw in (noise, whole[:at] + noise[:3] + whole[at + 1 :]):
        try:
            read = decode_event(raw)
        except Unreadable:
            continue
        assert read.received_at.utcoffset() == timedelta(0)


def test_an_unreadable_event_is_not_quoted() -> None:
    with pytest.raises(Unreadable) as refusal:
        decode_event(written(raw={"From": "+14155550123"}, at="never"))
    assert "4155550123" not in str(refusal.value)

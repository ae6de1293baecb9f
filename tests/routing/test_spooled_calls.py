"""A spooled call comes back as it was, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from routing.arrival import Arrival, Source
from routing.call import InboundCall
from routing.encoding import Unreadable
from routing.event_encoding import decode_event, encode_event
from routing.events import CallEvent, EventKind
from routing.route import Route
from routing.spooled import decode_arrival, encode_arrival
from tests.routing import strategies
from tests.routing.facts import NOW, a_call, a_campaign, a_number, a_route

ARRIVAL = Arrival(a_call(), a_route(), Source.DATABASE)


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(encode_arrival(ARRIVAL)) | members).encode()


@given(strategies.calls, st.none() | strategies.routes(), st.sampled_from(Source))
def test_a_call_comes_back_with_the_facts_it_was_routed_on(
    call: InboundCall, route: Route | None, source: Source
) -> None:
    if route is not None:
        call = replace(call, dialled=route.number.number)
    arrival = Arrival(call, route, source)
    again = decode_arrival(encode_arrival(arrival))
    assert again == arrival
    assert again.decision == arrival.decision


def test_it_is_one_json_object_in_the_notation_of_the_journal() -> None:
    written = json.loads(encode_arrival(Arrival(a_call(), Route(a_number(), a_campaign()), Source.INDEX)))
    assert set(written) == {"call", "number", "campaign", "source"}
    assert written["number"] == "1 7 11"
    assert written["campaign"].startswith("1 {")
    assert written["source"] == "index"
    assert written["call"]["sid"] == "CA1"


def test_what_a_newer_version_adds_is_ignored() -> None:
    assert decode_arrival(changed(weather="rain")) == ARRIVAL


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        changed(call={}),
        changed(call=None),
        changed(number="nonsense"),
        changed(number=7),
        changed(campaign=""),
        changed(campaign="1 {}"),
        changed(source="rumour"),
        changed(number="1 8 11"),
        changed(number="\ud800"),
        encode_arrival(ARRIVAL)[:-1],
    ],
)
def test_anything_else_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_arrival(raw)


@given(st.binary())
def test_no_bytes_raise_anything_but_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_arrival(raw)


def test_calls_and_events_are_not_taken_for_each_other() -> None:
    event = encode_event(CallEvent("twilio", "CA1", EventKind.CALL, "call:completed", NOW, NOW))
    with pytest.raises(Unreadable):
        decode_arrival(event)
    with pytest.raises(Unreadable):
        decode_event(encode_arrival(ARRIVAL))

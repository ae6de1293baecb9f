"""Whom a block keeps out, until when, and at which numbers."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.block_encoding import decode_blocks, encode_blocks
from routing.blocks import Block, CallerPattern, NotAPattern, patterns_of
from routing.decision import Connect, Reason, Reject
from routing.encoding import Unreadable
from routing.numbers import PhoneNumber
from routing.policy import block_in_force, decide
from routing.route import Route
from tests.routing.facts import CALLER, NOW, TICK, a_block, a_campaign, a_number, a_route
from tests.routing.strategies import blocks, instants, phones, routes

BLOCKED = Reject(Reason.BLOCKED_CALLER)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("+14155550142", "+14155550142"),
        (" +1 (415) 555-0142 ", "+14155550142"),
        ("+1900*", "+1900*"),
        ("+1 900…", "+1900*"),
        ("+7*", "+7*"),
        ("Anonymous", "anonymous"),
    ],
)
def test_a_pattern_is_a_number_a_beginning_or_anonymous(text: str, read: str) -> None:
    assert CallerPattern.parse(text).text == read


@pytest.mark.parametrize(
    "text", ["", "*", "+*", "1900*", "+1900", "+0*", "+1*900", "withheld", "+1234567890123456*"]
)
def test_what_names_no_callers_is_refused(text: str) -> None:
    with pytest.raises(NotAPattern) as refused:
        CallerPattern.parse(text)
    assert not text or text not in str(refused.value).replace("+1900*", "")


def test_a_whole_number_is_masked_when_a_pattern_is_printed() -> None:
    assert (str(CallerPattern(CALLER.e164)), repr(CallerPattern("+1303555*"))) == (
        "+1303•••0142",
        "CallerPattern(+1303555*)",
    )


@given(phones)
def test_a_caller_fits_its_number_and_every_beginning_of_it(caller: PhoneNumber) -> None:
    fitting = patterns_of(caller)
    assert fitting[0] == caller.e164
    assert set(fitting[1:]) == {f"{caller.e164[:n]}*" for n in range(2, len(caller.e164) + 1)}


def test_a_withheld_caller_fits_one_pattern_alone() -> None:
    assert patterns_of(None) == ("anonymous",)


@pytest.mark.parametrize(("early", "is_blocked"), [(TICK, True), (timedelta(0), False), (-TICK, False)])
def test_a_block_ends_at_the_very_instant_it_names(early: timedelta, is_blocked: bool) -> None:  # noqa: FBT001
    route = a_route().facing([a_block(expires_at=NOW + early)])
    assert (decide(route, NOW) == BLOCKED) is is_blocked
    assert isinstance(decide(route, NOW), Connect) is not is_blocked


def test_the_group_above_blocks_for_those_below_and_a_sibling_does_not() -> None:
    route = a_route(group_id=3, groups_above=(2, 1))
    assert decide(route.facing([a_block(group_id=3)]), NOW) == BLOCKED
    assert decide(route.facing([a_block(group_id=1)]), NOW) == BLOCKED
    assert isinstance(decide(route.facing([a_block(group_id=4)]), NOW), Connect)


def test_a_number_without_a_campaign_is_blocked_by_its_own_groups() -> None:
    route = Route(a_number(campaign_id=None, group_id=3, groups_above=(1,)))
    assert decide(route, NOW) == Reject(Reason.UNASSIGNED)
    assert decide(route.facing([a_block(group_id=1)]), NOW) == BLOCKED


def test_a_route_never_holds_the_block_of_another_group() -> None:
    with pytest.raises(ValueError, match="another group"):
        Route(a_number(), a_campaign(), (a_block(group_id=99),))


def test_the_oldest_block_in_force_is_the_one_that_is_named() -> None:
    over, second, third = a_block(1, expires_at=NOW), a_block(2), a_block(3)
    assert block_in_force(a_route().facing([third, over, second]), NOW) == second


@given(routes(), instants)
def test_a_block_in_force_wins_over_everything_else(route: Route, at: datetime) -> None:
    is_blocked = any(b.expires_at is None or at < b.expires_at for b in route.blocks)
    assert (decide(route, at) == BLOCKED) is is_blocked
    if not is_blocked:
        assert decide(route, at) == decide(Route(route.number, route.campaign), at)


@given(st.lists(blocks, min_size=1, max_size=5))
def test_blocks_are_read_as_they_were_written(written: list[Block]) -> None:
    raw = encode_blocks(written)
    assert decode_blocks(raw) == written
    assert b"\n" not in raw
    assert decode_blocks(raw + b"\n" + raw) == written * 2


def test_no_blocks_are_no_text() -> None:
    assert (encode_blocks([]), decode_blocks(b"")) == (b"", [])


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage",
        b"{}",
        b"[1]",
        b'[{"id":1}]',
        b'[{"id":1,"group":3,"pattern":"somebody"}]',
        b'[{"id":1,"group":3,"pattern":"+1*","expires":"2026-03-04T12:00:00"}]',
        b"[]\n" + b"[" * 100_000,
    ],
)
def test_what_is_no_block_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_blocks(raw)

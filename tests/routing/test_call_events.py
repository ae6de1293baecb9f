"""What carriers report adds up to the same call, whatever the order and however often."""

from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from routing.disposition import Disposition, Witness, disposition_of, rank, witness_of
from routing.events import NOTHING, CallUpdate, LegWitness, merge
from tests.routing.event_strategies import NOON, updates

TICK = timedelta(microseconds=1)


def said(witness: Witness, disposition: Disposition) -> CallUpdate:
    return CallUpdate(disposition=disposition, disposition_rank=rank(witness, disposition))


@given(updates(), updates())
def test_it_does_not_matter_which_report_comes_first(a: CallUpdate, b: CallUpdate) -> None:
    assert merge(a, b) == merge(b, a)


@given(updates(), updates(), updates())
def test_it_does_not_matter_which_reports_meet_first(a: CallUpdate, b: CallUpdate, c: CallUpdate) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(updates(), updates())
def test_a_repeated_report_adds_nothing(a: CallUpdate, b: CallUpdate) -> None:
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@given(updates())
def test_knowing_nothing_changes_nothing(a: CallUpdate) -> None:
    assert merge(a, NOTHING) == merge(NOTHING, a) == a


@given(st.lists(updates(), min_size=1, max_size=8), st.data())
def test_shuffled_and_repeated_reports_end_in_the_same_call(
    once: list[CallUpdate], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(once + data.draw(st.lists(st.sampled_from(once), max_size=8))))
    assert reduce(merge, shuffled) == reduce(merge, once)


@given(updates(), updates())
def test_nothing_that_was_known_is_forgotten(a: CallUpdate, b: CallUpdate) -> None:
    both = merge(a, b)
    for name in (member.name for member in fields(CallUpdate)):
        # A longer recording brings its own address, or none.
        if not name.startswith("recording"):
            assert (getattr(both, name) is None) == (getattr(a, name) is None and getattr(b, name) is None)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (
            (Witness.DIAL, Disposition.CANCELED),
            (Witness.LEG, Disposition.COMPLETED),
        ),
        ((Witness.LEG, Disposition.CANCELED), (Witness.CALL, Disposition.COMPLETED)),
        *(
            ((witness, better), (witness, worse))
            for witness in Witness
            for better, worse in [
                (Disposition.COMPLETED, Disposition.BUSY),
                (Disposition.BUSY, Disposition.NO_ANSWER),
                (Disposition.NO_ANSWER, Disposition.FAILED),
                (Disposition.FAILED, Disposition.CANCELED),
            ]
        ),
    ],
)
def test_a_disposition_never_gives_way_to_a_lesser_one(
    better: tuple[Witness, Disposition], worse: tuple[Witness, Disposition]
) -> None:
    assert rank(*better) > rank(*worse)
    assert merge(said(*better), said(*worse)) == said(*better)
    assert merge(said(*worse), said(*better)) == said(*better)


def test_ranks_are_those_that_the_log_already_holds() -> None:
    assert {rank(witness, word) for witness in Witness for word in Disposition} == {
        *range(11, 16),
        *range(21, 26),
        *range(31, 36),
    }
    assert rank(Witness.DIAL, Disposition.COMPLETED) == 35
    assert rank(Witness.CALL, Disposition.CANCELED) == 11


@pytest.mark.parametrize("word", ["completed", "busy", "no-answer", "failed", "canceled"])
def test_the_words_of_carriers_are_ours(word: str) -> None:
    assert disposition_of(word) == word


@pytest.mark.parametrize("word", ["", "ringing", "in-progress", "answered", "Completed", "abducted", "\0"])
def test_another_word_is_no_end_of_a_call(word: str) -> None:
    assert disposition_of(word) is None


def test_the_call_lasts_from_the_earliest_to_the_latest_that_was_reported() -> None:
    early, late = NOON, NOON + timedelta(seconds=9)
    both = merge(CallUpdate(answered_at=late, ended_at=early), CallUpdate(answered_at=early, ended_at=late))
    assert (both.answered_at, both.ended_at) == (early, late)


def test_the_end_of_the_dial_names_the_leg_that_answered() -> None:
    by_leg = CallUpdate(answering_leg="CAz", answering_leg_rank=LegWitness.LEG)
    by_dial = CallUpdate(answering_leg="CAa", answering_leg_rank=LegWitness.DIAL)
    assert merge(by_leg, by_dial).answering_leg == "CAa"


def test_of_two_recordings_the_longer_one_stays_whole() -> None:
    short = CallUpdate(recording_sid="REz", recording_url="https://z", recording_seconds=3)
    long = CallUpdate(recording_sid="REa", recording_url=None, recording_seconds=4)
    assert merge(short, long) == long
    announced = CallUpdate(recording_sid="REz", recording_url="https://z")
    assert merge(announced, short) == short


@pytest.mark.parametrize(
    ("answered", "unanswered_until", "seconds"),
    [
        (timedelta(seconds=7), None, 7),
        (timedelta(seconds=7), timedelta(seconds=99), 7),
        (None, timedelta(seconds=25), 25),
        (None, None, None),
        (timedelta(0), None, 0),
        (timedelta(seconds=-3), None, 0),
        (timedelta(seconds=1) - TICK, None, 0),
        (timedelta(seconds=1), None, 1),
        (timedelta(seconds=1) + TICK, None, 1),
    ],
)
def test_the_phone_rings_until_somebody_answers_or_gives_up(
    answered: timedelta | None, unanswered_until: timedelta | None, seconds: int | None
) -> None:
    update = CallUpdate(
        rang_at=NOON,
        answered_at=None if answered is None else NOON + answered,
        rang_until=None if unanswered_until is None else NOON + unanswered_until,
    )
    assert update.ring_seconds == seconds


def test_without_a_first_ring_nobody_knows_how_long_it_rang() -> None:
    assert CallUpdate(answered_at=NOON).ring_seconds is None


@pytest.mark.parametrize("witness", Witness)
@pytest.mark.parametrize("word", Disposition)
def test_a_rank_tells_who_said_it(witness: Witness, word: Disposition) -> None:
    assert witness_of(rank(witness, word)) is witness


def test_nobody_said_what_has_no_rank() -> None:
    assert witness_of(None) is None

"""Where the bars of a chart stand."""

import pytest

from admin.ui.charts import HEIGHT, chart, ranking
from models.reporting.tally import Tally


@pytest.mark.parametrize(
    ("most", "top"), [(0, 4), (4, 4), (5, 10), (10, 10), (11, 20), (40, 40), (41, 100), (1_001, 2_000)]
)
def test_the_scale_ends_with_the_next_round_number(most: int, top: int) -> None:
    assert chart([("09:00", Tally(calls=most, answered=most))]).top == top


def test_a_bar_is_piled_up_from_the_bottom() -> None:
    (bar,) = chart([("09:00", Tally(calls=4, answered=3, missed=1))]).bars
    assert [(piece.kind, piece.at, piece.length) for piece in bar.pieces] == [
        ("answered", HEIGHT / 4, HEIGHT * 3 / 4),
        ("missed", 0, HEIGHT / 4),
    ]


def test_a_bar_says_its_figures_in_words() -> None:
    (bar,) = chart([("09:00", Tally(calls=1_004, answered=1_003, rejected=1))]).bars
    assert bar.said == "09:00: 1,004 calls (1,003 answered, 1 rejected)"


def test_the_legend_has_what_occurs() -> None:
    drawn = chart([("09:00", Tally(calls=1, missed=1)), ("10:00", Tally(calls=1, referral=1))])
    assert drawn.kinds == [("missed", "Missed"), ("referral", "Referral")]


def test_no_calls_have_no_bars() -> None:
    drawn = chart([("09:00", Tally())])
    assert (drawn.bars[0].pieces, drawn.kinds) == ([], [])


def test_a_lying_bar_is_as_long_as_its_share_of_the_longest() -> None:
    drawn = ranking([("Leaflet", Tally(calls=8, answered=6, missed=2)), ("Radio", Tally(calls=2, missed=2))])
    assert [[(piece.kind, piece.at, piece.length) for piece in rank.pieces] for rank in drawn.ranks] == [
        [("answered", 0, 75), ("missed", 75, 25)],
        [("missed", 0, 25)],
    ]


def test_the_period_before_is_a_line_over_the_middles_of_the_bars() -> None:
    columns = [("1 Mar", Tally(calls=4, missed=4)), ("2 Mar", Tally()), ("3 Mar", Tally())]
    assert chart(columns, before=[8, None, 5]).before == "16.67,20.00 83.33,50.00"
    assert chart(columns, before=[8, None, 5]).top == 10


def test_a_chart_says_in_a_sentence_what_is_to_be_seen() -> None:
    columns = [("1 Mar", Tally(calls=1, missed=1)), ("2 Mar", Tally(calls=1_200, missed=1_200))]
    assert chart(columns).said == "2 bars, from 1 Mar to 2 Mar; the longest is 2 Mar with 1,200 calls."
    assert chart([("1 Mar", Tally())]).said == "No calls."

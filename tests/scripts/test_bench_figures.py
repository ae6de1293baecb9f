import io
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scripts.bench.figures import (
    Figure,
    Goal,
    at_least,
    at_most,
    below,
    percentile,
    print_figures,
    ratio_of_rounds,
    spelled,
)

numbers = st.floats(min_value=0.001, max_value=1e6)


def test_the_percentile_is_the_nearest_rank() -> None:
    hundred = list(range(100, 0, -1))
    assert [percentile(hundred, share) for share in (0, 0.01, 0.5, 0.99, 1)] == [1, 1, 50, 99, 100]


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(numbers, min_size=1), st.floats(0, 1))
def test_enough_values_do_not_exceed_a_percentile(values: list[float], share: float) -> None:
    bound = percentile(values, share)
    assert bound in values
    assert sum(value <= bound for value in values) >= share * len(values)
    assert sum(value < bound for value in values) <= share * len(values)


@given(st.lists(numbers, min_size=1), st.floats(0.1, 10))
def test_a_machine_that_slows_down_for_a_round_changes_no_ratio(rounds: list[float], factor: float) -> None:
    ours = [value * factor for value in rounds]
    assert ratio_of_rounds(ours, rounds) == pytest.approx(factor)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    ours, theirs = [10.0, 10.0, 90.0], [10.0, 5.0, 1.0]
    assert ratio_of_rounds(ours, theirs) == median([1.0, 2.0, 90.0])


def test_rounds_that_do_not_pair_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio_of_rounds([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("goal", "verdicts", "text"),
    [
        (at_least(0.85), ["missed", "met", "met"], "≥ 0.85"),
        (at_most(80), ["met", "met", "missed"], "≤ 80"),
        (below(50), ["met", "missed", "missed"], "< 50"),
    ],
)
def test_a_goal_is_met_on_its_side_of_the_bound(goal: Goal, verdicts: list[str], text: str) -> None:
    before, at, after = goal.bound - 0.001, goal.bound, goal.bound + 0.001
    assert [Figure("x", value, goal=goal).verdict for value in (before, at, after)] == verdicts
    assert str(goal) == text


def test_numbers_are_spelled_with_about_three_digits() -> None:
    spellings = [spelled(value) for value in (0.857, 6.128, 52.34, 99.94, 100, 3842.6)]
    assert spellings == ["0.86", "6.13", "52.3", "99.9", "100", "3,843"]


def test_goals_stand_beside_the_values_with_their_verdict() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    print_figures(
        console,
        [
            Figure("share", 0.91, goal=at_least(0.85)),
            Figure("memory", 130.0, "MB", below(120)),
            Figure("speed", 4286.0, "/s"),
        ],
    )
    text = console.export_text().splitlines()
    met, missed, free = (
        next(line.split() for line in text if name in line) for name in ("share", "memory", "speed")
    )
    assert "met" in met
    assert "≥" in met
    assert "missed" in missed
    assert {"met", "missed"}.isdisjoint(free)

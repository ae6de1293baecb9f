"""Numbers to judge by: percentiles, ratios of interleaved rounds, goals, and how they are printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

_MANY = 100
"""From here on decimals are noise."""
_FEW = 10


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a figure is to keep; `at_least`: from below, otherwise from above."""

    bound: float
    at_least: bool = False
    strict: bool = False

    def is_met(self, value: float) -> bool:
        if self.strict:
            return value > self.bound if self.at_least else value < self.bound
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        signs = (">", "≥") if self.at_least else ("<", "≤")
        return f"{signs[not self.strict]} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One result; `unit` is empty for a ratio."""

    name: str
    value: float
    unit: str = ""
    goal: Goal | None = None

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.value) else "missed"

    def as_json(self) -> dict[str, object]:
        goal = None if self.goal is None else str(self.goal)
        met = None if self.goal is None else self.goal.is_met(self.value)
        return {"name": self.name, "value": self.value, "unit": self.unit, "goal": goal, "met": met}


def at_least(bound: float) -> Goal:
    return Goal(bound, at_least=True)


def at_most(bound: float) -> Goal:
    return Goal(bound)


def below(bound: float) -> Goal:
    return Goal(bound, strict=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank).

    Raises ValueError where there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def ratio_of_rounds(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over rounds of ours ÷ theirs.

    Each round is divided by itself, so that a machine that slows down for a while slows both.
    """
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def spelled(value: float) -> str:
    """About three digits: `3,843`, `52.3`, `0.86`."""
    if abs(value) >= _MANY:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= _FEW else f"{value:.2f}"


def print_figures(console: Console, figures: Iterable[Figure]) -> None:
    """Print the figures with their goals and whether they are met."""
    table = Table("measured", "", "goal", "", box=SIMPLE)
    for column in (1, 2):
        table.columns[column].justify = "right"
    for figure in figures:
        color = {"met": "green", "missed": "red"}.get(figure.verdict)
        table.add_row(
            figure.name,
            f"{spelled(figure.value)} {figure.unit}".strip(),
            "" if figure.goal is None else str(figure.goal),
            f"[{color}]{figure.verdict}[/]" if color else "",
        )
    console.print(table)

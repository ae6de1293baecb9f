"""Charts drawn on the server: where the bars of an SVG stand. Templates draw them (charts.html)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH = HEIGHT = 100
"""Per cent of the room that there is: nothing is stretched, so that patterns and words can stand in it."""


class Counted(Protocol):
    """What a bar stands for: `calls` in all, and an attribute for each of its kinds."""

    @property
    def calls(self) -> int: ...


Kinds = Sequence[tuple[str, str]]
KINDS: Kinds = (
    ("answered", "Answered"),
    ("missed", "Missed"),
    ("open", "Under way"),
    ("referral", "Referral"),
    ("rejected", "Rejected"),
    ("apology", "Apology"),
)
"""What a bar is made of, from the bottom up."""
_GAP = 0.2
_WIDEST = 6.0
_STEPS = (1, 2, 4, 10)
_MARKS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """Per cent from the beginning of its bar's direction: from the top, or from the left."""

    kind: str
    at: float
    length: float


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    said: str
    """All its figures in words."""
    x: float
    width: float
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    top: int
    """What the height stands for; even, so that half of it is a whole number."""
    kinds: list[tuple[str, str]]
    """Those that occur, for the legend."""
    said: str = ""
    """What is to be seen, in a sentence."""
    before: str = ""
    """The points of a line in a square of 100: the same place in the period before."""

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Labels below some of the bars, each with its middle in per cent of the width."""
        every = max(1, -(-len(self.bars) // _MARKS))
        return [(round(bar.x + bar.width / 2, 2), bar.label) for bar in self.bars[::every]]


@dataclass(frozen=True, slots=True)
class Rank:
    """A bar that lies, beside its label."""

    label: str
    said: str
    calls: int
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Bars below each other, each as long as its share of the longest."""

    ranks: list[Rank]
    kinds: list[tuple[str, str]]
    said: str = ""


def chart(
    columns: Sequence[tuple[str, Counted]], kinds: Kinds = KINDS, before: Sequence[int | None] = ()
) -> Chart:
    """Stacked bars, one for each label and its counts; `before` are the calls that a line leads along."""
    most = max([counts.calls for _, counts in columns] + [calls or 0 for calls in before], default=0)
    top = _top(most)
    slot = WIDTH / max(1, len(columns))
    width = min(slot * (1 - _GAP), _WIDEST)
    bars = [
        Bar(
            label,
            _said(label, counts, kinds),
            round(place * slot + (slot - width) / 2, 3),
            round(width, 3),
            list(_upwards(counts, top, kinds)),
        )
        for place, (label, counts) in enumerate(columns)
    ]
    points = [
        f"{(place + 0.5) * slot:.2f},{HEIGHT - calls / top * HEIGHT:.2f}"
        for place, calls in enumerate(before[: len(columns)])
        if calls is not None
    ]
    line = " ".join(points) if len(points) > 1 and any(before) else ""
    return Chart(bars, top, _used(columns, kinds), _summary(columns), line)


def ranking(columns: Sequence[tuple[str, Counted]], kinds: Kinds = KINDS) -> Ranking:
    """Lying bars, one for each label and its counts, in their order."""
    longest = max((counts.calls for _, counts in columns), default=0) or 1
    ranks = [
        Rank(label, _said(label, counts, kinds), counts.calls, list(_onwards(counts, longest, kinds)))
        for label, counts in columns
    ]
    return Ranking(ranks, _used(columns, kinds), _summary(columns))


def _upwards(counts: Counted, top: int, kinds: Kinds) -> Iterator[Piece]:
    for kind, start, length in _shares(counts, top, kinds):
        yield Piece(kind, round(HEIGHT - start - length, 3), length)


def _onwards(counts: Counted, longest: int, kinds: Kinds) -> Iterator[Piece]:
    for kind, start, length in _shares(counts, longest, kinds):
        yield Piece(kind, round(start, 3), length)


def _shares(counts: Counted, whole: int, kinds: Kinds) -> Iterator[tuple[str, float, float]]:
    below = 0
    for kind, _ in kinds:
        count: int = getattr(counts, kind)
        if count:
            yield kind, below / whole * 100, round(count / whole * 100, 3)
            below += count


def _used(columns: Sequence[tuple[str, Counted]], kinds: Kinds) -> list[tuple[str, str]]:
    return [pair for pair in kinds if any(getattr(counts, pair[0]) for _, counts in columns)]


def _said(label: str, counts: Counted, kinds: Kinds) -> str:
    parts = [f"{getattr(counts, kind):,} {word.lower()}" for kind, word in kinds if getattr(counts, kind)]
    return f"{label}: {_calls(counts)}" + (f" ({', '.join(parts)})" if parts else "")


def _summary(columns: Sequence[tuple[str, Counted]]) -> str:
    if not any(counts.calls for _, counts in columns):
        return "No calls."
    label, most = max(columns, key=lambda column: column[1].calls)
    if len(columns) == 1:
        return f"One bar: {label} with {_calls(most)}."
    first, last = columns[0][0], columns[-1][0]
    return f"{len(columns)} bars, from {first} to {last}; the longest is {label} with {_calls(most)}."


def _calls(counts: Counted) -> str:
    return "1 call" if counts.calls == 1 else f"{counts.calls:,} calls"


def _top(most: int) -> int:
    """The next round number, at least 4."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= max(most, 4):
                return step * size
        size *= 10

"""Charts drawn on the server: where the bars of an SVG stand. Templates draw them (charts.html)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.reporting.tally import Tally

WIDTH, HEIGHT = 1000, 200
"""Units of the drawing; it is stretched to the room that there is, labels stand beside it."""
KINDS = (
    ("answered", "Answered"),
    ("missed", "Missed"),
    ("open", "Under way"),
    ("referral", "Referral"),
    ("rejected", "Rejected"),
    ("apology", "Apology"),
)
"""What a bar is made of, from the bottom up."""
_GAP = 0.2
_WIDEST = 60.0
_STEPS = (1, 2, 4, 10)
_MARKS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    kind: str
    y: float
    height: float


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

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Labels below some of the bars, each with its middle in per cent of the width."""
        every = -(-len(self.bars) // _MARKS)
        return [(round((bar.x + bar.width / 2) / WIDTH * 100, 2), bar.label) for bar in self.bars[::every]]


def chart(columns: Sequence[tuple[str, Tally]]) -> Chart:
    """Stacked bars, one for each label and its tally."""
    top = _top(max((tally.calls for _, tally in columns), default=0))
    slot = WIDTH / max(1, len(columns))
    width = min(slot * (1 - _GAP), _WIDEST)
    bars = [
        Bar(
            label,
            f"{label}: {_said(tally)}",
            round(place * slot + (slot - width) / 2, 2),
            round(width, 2),
            list(_pieces(tally, top)),
        )
        for place, (label, tally) in enumerate(columns)
    ]
    used = [pair for pair in KINDS if any(getattr(tally, pair[0]) for _, tally in columns)]
    return Chart(bars, top, used)


def _pieces(tally: Tally, top: int) -> Iterator[Piece]:
    below = 0
    for kind, _ in KINDS:
        count = getattr(tally, kind)
        if count:
            height = count / top * HEIGHT
            yield Piece(kind, round(HEIGHT - below / top * HEIGHT - height, 2), round(height, 2))
            below += count


def _said(tally: Tally) -> str:
    parts = [f"{getattr(tally, kind):,} {label.lower()}" for kind, label in KINDS if getattr(tally, kind)]
    return f"{tally.calls:,} calls" + (f" ({', '.join(parts)})" if parts else "")


def _top(most: int) -> int:
    """The next round number, at least 4."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= max(most, 4):
                return step * size
        size *= 10

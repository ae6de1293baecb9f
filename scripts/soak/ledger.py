"""The carrier's books: what it asked, what it heard and when, and what it told afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.soak.answers import Answer


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer to a voice webhook; instants by the monotonic clock, the carrier's retries included."""

    sent: float
    answered: float
    answer: Answer | None
    """None: nothing that can be read as TwiML of ours came in time."""
    attempts: int = 1
    fell_back: bool = False
    """Whether `voice` did not answer at all, and the fallback address was asked."""


@dataclass(slots=True)
class Call:
    """One call; a webhook that the carrier repeated was heard more than once."""

    sid: str
    number: str
    heard: list[Heard] = field(default_factory=list)
    reports: int = 0
    """Different reports on it that we took."""
    disposition: str | None = None
    """How it ended, as the reports said that we took."""
    talk_seconds: int | None = None


@dataclass(slots=True)
class Ledger:
    """All calls of a soak, by CallSid; written by one thread."""

    calls: dict[str, Call] = field(default_factory=dict)
    unheard: list[str] = field(default_factory=list)
    """Signed reports that got no right answer, as `<event> of <CallSid>`."""
    report_seconds: list[float] = field(default_factory=list)

    def heard(self) -> Iterator[tuple[Call, Heard]]:
        return ((call, heard) for call in self.calls.values() for heard in call.heard)

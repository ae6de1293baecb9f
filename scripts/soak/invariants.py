"""What must be so after a soak, whatever went wrong meanwhile; each breach is a violation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from models.call import Call as LoggedCall
from models.call_event import LoggedEvent
from models.database import Database
from scripts.bench.figures import percentile
from scripts.soak.answers import APOLOGY, Answer
from scripts.soak.ledger import Call, Heard, Ledger
from scripts.soak.memory import Process
from scripts.soak.truth import Truth

PATIENCE = 15.0
"""Seconds after which the carrier gives a webhook up."""
SLOWEST = 4.0
SLOWEST_BUT_ONE_IN_A_HUNDRED = 2.0


class Breach(StrEnum):
    """A kind of violation."""

    UNANSWERED = "no TwiML"
    TOO_LATE = "too late"
    WRONG = "wrong answer"
    LIVE_REJECTED = "live campaign rejected"
    INACTIVE_DIALLED = "inactive number dialled"
    APOLOGY = "apology without need"
    UNHEARD_REPORT = "report not taken"
    LOST_ROW = "lost row"
    DOUBLE_ROW = "double row"
    STRANGE_ROW = "row of no call"
    WRONG_ROW = "wrong row"
    EVENTS = "lost or double event"
    NOT_DRAINED = "not drained"
    INDEX = "index and database differ"
    OWN_ERROR = "defect in our own code"
    MEMORY = "memory grows"


@dataclass(frozen=True, slots=True)
class Violation:
    breach: Breach
    detail: str
    """Names calls by their CallSid, never by a phone number."""


def of_answers(ledger: Ledger, truth: Truth) -> Iterator[Violation]:
    """Every caller heard what is right, in time."""
    for call, heard in ledger.heard():
        if heard.answer is None:
            yield Violation(Breach.UNANSWERED, call.sid)
            continue
        breach = _wrong(heard, truth.right(call.number, heard.sent, heard.answered))
        if breach is not None:
            near = truth.around(heard.sent, heard.answered)
            yield Violation(
                breach, f"{call.sid} heard {heard.answer.decision} {_when(heard)}; near it: {near}"
            )
    yield from _times(ledger)
    yield from (Violation(Breach.UNHEARD_REPORT, report) for report in ledger.unheard)


def of_log(ledger: Ledger, truth: Truth, database: Database) -> Iterator[Violation]:
    """The log has each call once, as it was answered and as its reports said; no other."""
    rows = _rows(database)
    counted = Counter(row.sid for row in rows)
    for sid, times in counted.items():
        if sid not in ledger.calls:
            yield Violation(Breach.STRANGE_ROW, sid)
        elif times > 1:
            yield Violation(Breach.DOUBLE_ROW, f"{sid}, {times} times")
    by_sid = {row.sid: row for row in rows}
    events = _events(database)
    for sid, call in ledger.calls.items():
        row = by_sid.get(sid)
        if row is None:
            yield Violation(Breach.LOST_ROW, sid)
            continue
        if wrong := _wrong_in(row, call, truth):
            yield Violation(Breach.WRONG_ROW, f"{sid}: {wrong}")
        if events[sid] != call.reports:
            yield Violation(Breach.EVENTS, f"{sid}: {events[sid]} of {call.reports}")


def of_memory(processes: Sequence[Process]) -> Iterator[Violation]:
    for process in processes:
        if not process.is_flat:
            yield Violation(Breach.MEMORY, f"{process.kind} {process.pid} by {process.growth:,} bytes")


def sources(database: Database) -> dict[str, int]:
    """How many calls of the log were routed from where."""
    counted = select(LoggedCall.source, func.count()).group_by(LoggedCall.source)
    with database.reading() as session:
        return {str(source): times for source, times in sorted(session.execute(counted), key=str)}


@dataclass(frozen=True, slots=True)
class _Row:
    sid: str
    answer: Answer | None
    disposition: str | None
    talk_seconds: int | None


def _rows(database: Database) -> list[_Row]:
    columns = (
        LoggedCall.call_sid,
        LoggedCall.decision,
        LoggedCall.destination,
        LoggedCall.disposition,
        LoggedCall.talk_seconds,
    )
    with database.reading() as session:
        return [
            _Row(
                sid,
                None
                if decision is None
                else Answer(decision, None if destination is None else destination.e164),
                disposition,
                talked,
            )
            for sid, decision, destination, disposition, talked in session.execute(select(*columns))
        ]


def _events(database: Database) -> Counter[str]:
    counted = select(LoggedEvent.call_sid, func.count().label("times")).group_by(LoggedEvent.call_sid)
    with database.reading() as session:
        return Counter({row.call_sid: row.times for row in session.execute(counted)})


def _wrong(heard: Heard, right: set[Answer]) -> Breach | None:
    if heard.answer in right:
        return None
    if heard.answer == APOLOGY:
        return Breach.APOLOGY
    connects = {answer.decision == "connect" for answer in right}
    if heard.answer is not None and heard.answer.decision == "reject" and connects == {True}:
        return Breach.LIVE_REJECTED
    if heard.answer is not None and heard.answer.decision == "connect" and True not in connects:
        return Breach.INACTIVE_DIALLED
    return Breach.WRONG


def _wrong_in(row: _Row, call: Call, truth: Truth) -> str | None:
    """What is wrong with a row, if anything."""
    # The decision that stays is the first one. Where the carrier asked more than once, or an edit came
    # in between, it may be another than what the caller heard, but it has to be one that was right.
    right = {
        answer for heard in call.heard for answer in truth.right(call.number, heard.sent, heard.answered)
    }
    if row.answer is None:
        # `voice` never had it: the fallback answered.
        if not all(heard.fell_back for heard in call.heard):
            return "has no decision"
    elif row.answer not in right:
        return f"decided {row.answer.decision}"
    if row.disposition != call.disposition:
        return f"ended {row.disposition} instead of {call.disposition}"
    if row.talk_seconds != call.talk_seconds:
        return f"{row.talk_seconds} seconds of talk instead of {call.talk_seconds}"
    return None


def _times(ledger: Ledger) -> Iterator[Violation]:
    seconds = voice_seconds(ledger)
    for call, heard in ledger.heard():
        if heard.answered - heard.sent >= SLOWEST:
            yield Violation(Breach.TOO_LATE, f"{call.sid}, {_when(heard)}")
    if seconds and percentile(seconds, 0.99) >= SLOWEST_BUT_ONE_IN_A_HUNDRED:
        yield Violation(Breach.TOO_LATE, f"99 in 100 within {percentile(seconds, 0.99):.2f} s only")


def voice_seconds(ledger: Ledger) -> list[float]:
    """How long the carrier waited for each answer to `voice`, its retries included."""
    return [heard.answered - heard.sent for _, heard in ledger.heard()]


def _when(heard: Heard) -> str:
    attempts = "" if heard.attempts == 1 else f" at attempt {heard.attempts}"
    return f"after {heard.answered - heard.sent:.2f} s{attempts}" + (
        " by fallback" if heard.fell_back else ""
    )

"""What carriers report of a call after it was answered, and how the reports add up.

Reports come twice, late, out of order or never. Each one is turned into partial knowledge of its call,
and `merge` adds knowledge up so that order and repetition make no difference: updates form a
semilattice, of which `merge` is the join.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from routing.disposition import Disposition

Value = TypeVar("Value", datetime, int, str)
Instant = Annotated[datetime, Meta(tz=True)]
"""Aware; written down without its offset it would be refused when read."""


class EventKind(StrEnum):
    DIAL = "dial"
    """The `<Dial>` ended, and with it every leg to the business."""
    LEG = "leg"
    """Something happened to one leg to the business."""
    CALL = "call"
    """Something happened to the caller's own leg."""
    RECORDING = "recording"


class LegWitness(IntEnum):
    """Who names the leg that answered; the greater one knows better."""

    LEG = 1
    DIAL = 2


class CallUpdate(Struct, frozen=True, omit_defaults=True):
    """Partial knowledge of a call; None: nothing known. Instants are aware UTC, text is never empty."""

    disposition: Disposition | None = None
    disposition_rank: int | None = None
    """`routing.disposition.rank` of `disposition`."""
    started_at: Instant | None = None
    """An instant at which the call was on already; the log uses it until it knows of the arrival."""
    rang_at: Instant | None = None
    """When the business's phone began to ring."""
    rang_until: Instant | None = None
    """When a leg that nobody answered ended."""
    answered_at: Instant | None = None
    """When the business answered, not when the carrier took the call."""
    ended_at: Instant | None = None
    talk_seconds: int | None = None
    duration_seconds: int | None = None
    """From the carrier taking the caller's leg to its end, prompts included."""
    answering_leg: str | None = None
    """The carrier's id of the leg that the business answered."""
    answering_leg_rank: int | None = None
    """A `LegWitness`."""
    recording_sid: str | None = None
    recording_url: str | None = None
    recording_seconds: int | None = None
    consent_version: str | None = None
    """Which text told the caller that the call is recorded."""
    reconciled_at: Instant | None = None
    """When the carrier was asked, because its own report had not come."""

    @property
    def ring_seconds(self) -> int | None:
        """Whole seconds from the first ring to the answer, or to the end of the last unanswered leg.

        Counted between the seconds of the clock, as carriers stamp no fractions; never negative.
        """
        until = self.answered_at or self.rang_until
        if self.rang_at is None or until is None:
            return None
        seconds = (until.replace(microsecond=0) - self.rang_at.replace(microsecond=0)).total_seconds()
        return max(0, int(seconds))


NOTHING = CallUpdate()
"""What merged with any update leaves it as it is."""


class CallEvent(Struct, frozen=True):
    """One report; (`carrier`, `call_sid`, `key`) names it, so that a repeated one is the same."""

    carrier: str
    call_sid: str
    """The caller's leg, under which the call is logged, whichever leg the report is about."""
    kind: EventKind
    key: str
    """Such as `leg:CA12…:answered`, `call:completed`, `recording:RE34…:completed`."""
    occurred_at: datetime | None
    """By the carrier's clock, aware UTC; None where it did not say."""
    received_at: datetime
    """By ours."""
    update: CallUpdate = NOTHING
    raw: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The carrier's fields, shortened and without secrets; phone numbers are not masked."""

    def __repr__(self) -> str:
        """Without `raw`."""
        return f"CallEvent({self.carrier} {self.call_sid} {self.key}, {self.update})"


def merge(a: CallUpdate, b: CallUpdate) -> CallUpdate:
    """Everything that either knows; commutative, associative, idempotent.

    The word of the higher rank stays, the earliest beginning and the latest end, the most seconds.
    What belongs together stays together: of two recordings the longer one with its own address.
    `models.call_merge` says the same in SQL.
    """
    said = a if _word(a) >= _word(b) else b
    answering = a if _answering(a) >= _answering(b) else b
    recorded = a if _recording(a) >= _recording(b) else b
    return CallUpdate(
        disposition=said.disposition,
        disposition_rank=said.disposition_rank,
        started_at=_least(a.started_at, b.started_at),
        rang_at=_least(a.rang_at, b.rang_at),
        rang_until=_most(a.rang_until, b.rang_until),
        answered_at=_least(a.answered_at, b.answered_at),
        ended_at=_most(a.ended_at, b.ended_at),
        talk_seconds=_most(a.talk_seconds, b.talk_seconds),
        duration_seconds=_most(a.duration_seconds, b.duration_seconds),
        answering_leg=answering.answering_leg,
        answering_leg_rank=answering.answering_leg_rank,
        recording_sid=recorded.recording_sid,
        recording_url=recorded.recording_url,
        recording_seconds=recorded.recording_seconds,
        consent_version=_most(a.consent_version, b.consent_version),
        reconciled_at=_least(a.reconciled_at, b.reconciled_at),
    )


def _word(update: CallUpdate) -> tuple[int, str]:
    return update.disposition_rank or 0, update.disposition or ""


def _answering(update: CallUpdate) -> tuple[int, str]:
    return update.answering_leg_rank or 0, update.answering_leg or ""


def _recording(update: CallUpdate) -> tuple[int, str, str]:
    seconds = -1 if update.recording_seconds is None else update.recording_seconds
    return seconds, update.recording_sid or "", update.recording_url or ""


def _least(a: Value | None, b: Value | None) -> Value | None:
    return b if a is None or (b is not None and b < a) else a


def _most(a: Value | None, b: Value | None) -> Value | None:
    return b if a is None or (b is not None and b > a) else a

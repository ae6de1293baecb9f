"""How much tracking numbers are called, from the call log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.call import Call
from routing.numbers import PhoneNumber

SHORT = timedelta(days=45)
LONG = timedelta(days=90)
CARRIER_LOOKS_BACK = timedelta(days=30)
CARRIER_COUNTS_FROM = 12
CARRIER_WANTS = 3
"""Twilio may take back a number without three completed calls of 12 s or more, or three texts, in a
month (twilio.com/docs/glossary, "active number")."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one number; `long_calls` are those of the last 30 days that the carrier counts."""

    last_call_at: datetime | None = None
    calls_45_days: int = 0
    calls_90_days: int = 0
    callers_90_days: int = 0
    """Different ones; all who withheld their number are one."""
    long_calls: int = 0

    @property
    def may_be_taken_back(self) -> bool:
        """Whether it is used so little that the carrier could reclaim it."""
        return self.long_calls < CARRIER_WANTS


NEVER = Usage()


def usage(session: Session, numbers: Collection[PhoneNumber], now: datetime) -> dict[PhoneNumber, Usage]:
    """The calls of these numbers up to `now`; those that nobody ever called are left out."""
    if not numbers:
        return {}
    counted = (Call.started_at >= now - CARRIER_LOOKS_BACK) & (Call.duration_seconds >= CARRIER_COUNTS_FROM)
    callers = func.count(func.distinct(func.coalesce(Call.caller, "")))
    lately = (
        select(
            Call.tracking_number,
            func.max(Call.started_at),
            func.sum(case((Call.started_at >= now - SHORT, 1), else_=0)),
            func.count(),
            callers,
            func.sum(case((counted, 1), else_=0)),
        )
        .where(Call.tracking_number.in_(numbers), Call.started_at >= now - LONG)
        .group_by(Call.tracking_number)
    )
    found = {number: Usage(*counts) for number, *counts in session.execute(lately) if number is not None}
    quiet = set(numbers) - found.keys()
    if quiet:
        last = select(Call.tracking_number, func.max(Call.started_at)).where(Call.tracking_number.in_(quiet))
        for number, at in session.execute(last.group_by(Call.tracking_number)):
            if number is not None:
                found[number] = Usage(at)
    return found

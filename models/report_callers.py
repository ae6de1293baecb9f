"""Who calls: for the first time or again, and who still dials numbers that reach nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, cast, exists, func, literal, select
from sqlalchemy.orm import Session

from models.call import Call
from models.report import Conditions, Span
from routing.decision import Reason
from routing.numbers import PhoneNumber

IN_VAIN = (Reason.ENDED, Reason.RELEASED, Reason.UNASSIGNED, Reason.ARCHIVED)
"""Why a number reaches nobody any more."""
OVER = (*IN_VAIN, Reason.REFERRAL)
"""With those whose callers are told whom to call instead."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Callers who gave a number, and their calls; `again` are those who called more than once."""

    callers: int = 0
    calls: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class FirstAndRepeat:
    """`first_time` had never called before the span, as far as the log goes back."""

    first_time: Callers
    returning: Callers
    withheld_calls: int


@dataclass(frozen=True, slots=True)
class Vain:
    """Calls of one number, or by one caller, that reached nobody because the number is over."""

    number: PhoneNumber | None
    campaign_id: int | None
    reason: str | None
    calls: int
    others: int
    """How many callers dialled the number; how many numbers the caller dialled."""
    last_at: datetime


def first_and_repeat(session: Session, span: Span, conditions: Conditions) -> FirstAndRepeat:
    within = [Call.started_at >= span.begin, Call.started_at < span.end, *conditions]
    calling = (
        select(Call.caller, func.count().label("calls"))
        .where(*within, Call.caller.is_not(None))
        .group_by(Call.caller)
        .subquery()
    )
    earlier = (
        select(Call.caller)
        .where(Call.started_at < span.begin, Call.caller.is_not(None), *conditions)
        .subquery()
    )
    known = cast(exists(select(literal(1)).where(earlier.c.caller == calling.c.caller)), Integer)
    each = select(known.label("known"), calling.c.calls).subquery()
    again = func.count().filter(each.c.calls > 1)
    rows = session.execute(
        select(each.c.known, func.count(), func.sum(each.c.calls), again).group_by(each.c.known)
    )
    found = {row[0]: Callers(row[1], int(row[2]), row[3]) for row in rows}
    withheld = select(func.count()).select_from(Call).where(*within, Call.caller.is_(None))
    return FirstAndRepeat(
        first_time=found.get(0, Callers()),
        returning=found.get(1, Callers()),
        withheld_calls=session.scalars(withheld).one(),
    )


def numbers_in_vain(
    session: Session, span: Span, conditions: Conditions, limit: int, reasons: Collection[Reason] = OVER
) -> list[Vain]:
    """The numbers that are dialled most though they are over, by why they are."""
    wanted = (
        select(
            Call.tracking_number,
            Call.campaign_id,
            Call.reason,
            func.count(),
            func.count(Call.caller.distinct()),
            func.max(Call.started_at),
        )
        .where(*_in_vain(span, conditions, reasons))
        .group_by(Call.tracking_number, Call.campaign_id, Call.reason)
        .order_by(func.count().desc(), Call.tracking_number)
        .limit(limit)
    )
    return [Vain(*row) for row in session.execute(wanted)]


def callers_in_vain(
    session: Session, span: Span, conditions: Conditions, limit: int, reasons: Collection[Reason] = OVER
) -> list[Vain]:
    """The callers who still dial such numbers most; `number` is the caller's, None: withheld."""
    wanted = (
        select(
            Call.caller,
            func.count(),
            func.count(Call.tracking_number.distinct()),
            func.max(Call.started_at),
        )
        .where(*_in_vain(span, conditions, reasons))
        .group_by(Call.caller)
        .order_by(func.count().desc(), Call.caller)
        .limit(limit)
    )
    return [Vain(row[0], None, None, row[1], row[2], row[3]) for row in session.execute(wanted)]


def _in_vain(span: Span, conditions: Conditions, reasons: Collection[Reason]) -> Conditions:
    return [
        Call.started_at >= span.begin,
        Call.started_at < span.end,
        Call.reason.in_([reason.value for reason in reasons]),
        *conditions,
    ]

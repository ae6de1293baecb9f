"""Keeping roll-ups right: a day that has changed is counted anew, a month that is over is summed up."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, except_all, func, insert, select, union_all
from sqlalchemy.orm import Session

from models.reporting.blocks import (
    BLOCK_COLUMNS,
    QUARTER,
    Grain,
    blocks,
    blocks_of_day,
    blocks_of_month,
    quarters,
    quarters_of_day,
)
from models.reporting.changes import (
    changed_days,
    day_of_call,
    day_span,
    forget_changes,
    note_changes,
)
from models.reporting.coverage import days_of, summed_months
from models.reporting.facts import facts
from models.reporting.newcomers import keep_newcomers, known_callers
from models.reporting.scope import Scope

# Any number, the same in all processes and different from other locks.
_ADVISORY_LOCK = 7_203_114_003
_ALL = Scope(None)
_QUARTERS = 96
"""Of an hour, a day."""


def days_to_roll_up(session: Session, now: datetime) -> list[date]:
    """The days that are over and have changed, the earliest first: then no day changes another one."""
    return sorted(day for day in changed_days(session) if day_span(day).end <= now)


def months_to_sum(session: Session, now: datetime) -> list[date]:
    """The months that are over, have been rolled up as a whole and have no blocks yet."""
    changed = {day.replace(day=1) for day in changed_days(session)}
    of_days = select(blocks.c.begins).where(blocks.c.grain == Grain.DAY.value, blocks.c.level == 0).distinct()
    there = {day.replace(day=1) for day in session.scalars(of_days)}
    summed = set(session.scalars(select(summed_months.c.month)))
    return sorted(month for month in there - changed - summed if day_span(days_of(month)[-1]).end <= now)


def roll_up_day(session: Session, day: date) -> bool:
    """Count a day anew, as this snapshot has it; False: somebody else is at it.

    The transaction has to be REPEATABLE READ, so that the notes which are taken away are those whose
    calls were counted. It fails where another process was quicker, and may be repeated.
    """
    if not _alone(session):
        return False
    keep_newcomers(session, day)
    _forget(session, day)
    counted = facts(session, [day_span(day)], _ALL, callers=True)
    session.execute(insert(blocks).from_select(list(BLOCK_COLUMNS), blocks_of_day(counted, day)))
    session.execute(insert(quarters).from_select(list(quarters.c.keys()), quarters_of_day(counted)))
    forget_changes(session, day)
    return True


def sum_month(session: Session, month: date) -> bool:
    """Sum up the days of a month; False: somebody else is at it. The transaction as for `roll_up_day`."""
    if not _alone(session):
        return False
    session.execute(delete(blocks).where(_is(Grain.MONTH, month)))
    session.execute(insert(blocks).from_select(list(BLOCK_COLUMNS), blocks_of_month(month, days_of(month))))
    session.execute(insert(summed_months).values(month=month))
    return True


def begin_anew(session: Session) -> int:
    """Forget all roll-ups: until the days are rolled up again, reports read the log.

    Returns how many days have calls.
    """
    for table in (blocks, quarters, known_callers, summed_months):
        session.execute(delete(table))
    days = session.scalars(select(day_of_call).distinct()).all()
    note_changes(session, days)
    return len(days)


def days_with_roll_ups(session: Session) -> list[date]:
    """The days that are rolled up or have calls, but for those that have changed since."""
    logged = select(day_of_call).distinct()
    rolled_up = select(blocks.c.begins).where(blocks.c.grain == Grain.DAY.value, blocks.c.level == 0)
    return sorted({*session.scalars(logged), *session.scalars(rolled_up)} - changed_days(session))


def differences_of_day(session: Session, day: date) -> int:
    """How many roll-ups of a day are not what the log adds up to, or are missing; 0: it has changed since."""
    if day in changed_days(session):
        return 0
    counted = facts(session, [day_span(day)], _ALL, callers=True)
    kept_blocks = select(blocks).where(_is(Grain.DAY, day))
    kept_quarters = select(quarters).where(_quarters_of(day))
    return _differences(session, blocks_of_day(counted, day), kept_blocks) + _differences(
        session, quarters_of_day(counted), kept_quarters
    )


def differences_of_month(session: Session, month: date) -> int:
    """How many blocks of a month are not the sum of its days, or are missing."""
    kept = select(blocks).where(_is(Grain.MONTH, month))
    return _differences(session, blocks_of_month(month, days_of(month)), kept)


def months_with_blocks(session: Session) -> Sequence[date]:
    return session.scalars(select(summed_months.c.month).order_by(summed_months.c.month)).all()


def _alone(session: Session) -> bool:
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_ADVISORY_LOCK))))


def _forget(session: Session, day: date) -> None:
    """Take away what was counted of the day, and the blocks of its month, which are wrong from now on."""
    month = day.replace(day=1)
    session.execute(delete(blocks).where(_is(Grain.DAY, day)))
    session.execute(delete(quarters).where(_quarters_of(day)))
    was_summed = delete(summed_months).where(summed_months.c.month == month)
    if session.execute(was_summed.returning(summed_months.c.month)).all():
        session.execute(delete(blocks).where(_is(Grain.MONTH, month)))


def _is(grain: Grain, begins: date) -> ColumnElement[bool]:
    return and_(blocks.c.grain == grain.value, blocks.c.begins == begins)


def _quarters_of(day: date) -> ColumnElement[bool]:
    first = int(day_span(day).begin.timestamp()) // QUARTER
    return and_(quarters.c.quarter >= first, quarters.c.quarter < first + _QUARTERS)


def _differences(session: Session, right: Any, kept: Any) -> int:  # noqa: ANN401 - any two queries
    right, kept = select(right.subquery()), select(kept.subquery())
    both = union_all(except_all(right, kept), except_all(kept, right)).subquery()
    return session.scalars(select(func.count()).select_from(both)).one()

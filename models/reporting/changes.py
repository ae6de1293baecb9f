"""Which days (UTC) of the log have changed since they were rolled up.

On PostgreSQL triggers on `calls` note them, in the very transaction that changes the log: whoever sees
the calls of a day in one snapshot sees also that it has changed. Rows are only added, so that writers
never wait for each other, and taken away by whoever rolled the day up as he saw it.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, Index, Table, cast, delete, func, insert, select
from sqlalchemy.orm import Session

from models.base import WHOLE, Base
from models.call import Call
from models.reporting.period import Span

_DAY = timedelta(days=1)

changes = Table(
    "report_changes",
    Base.metadata,
    Column("id", WHOLE, primary_key=True),
    Column("day", Date(), nullable=False),
    Index("ix_report_changes_day", "day"),
)

day_of_call: ColumnElement[Any] = cast(func.timezone("UTC", Call.started_at), Date())
"""On PostgreSQL."""


def day_span(day: date) -> Span:
    begin = datetime.combine(day, time(), UTC)
    return Span(begin, begin + _DAY)


def changed_days(session: Session) -> set[date]:
    return set(session.scalars(select(changes.c.day).distinct()))


def note_changes(session: Session, days: Iterable[date]) -> None:
    rows = [{"day": day} for day in sorted(set(days))]
    if rows:
        session.execute(insert(changes), rows)


def forget_changes(session: Session, day: date) -> None:
    """The day is rolled up as this snapshot has it; what comes later is not seen, and stays."""
    session.execute(delete(changes).where(changes.c.day == day))


def thin_out_changes(session: Session) -> None:
    """One note a day is enough, and a busy day has thousands."""
    kept = select(func.max(changes.c.id)).group_by(changes.c.day)
    session.execute(delete(changes).where(changes.c.id.not_in(kept)))

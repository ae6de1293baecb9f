"""Since when a group knows a caller: the day (UTC) of his first call to it. PostgreSQL only.

Kept by the roll-ups, so that nobody has to look through the whole log for an earlier call.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Index,
    Row,
    Subquery,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from models.base import WHOLE, Base
from models.call import Call
from models.reporting.changes import changes, day_of_call, day_span, note_changes

NO_GROUP = 0
"""The `group_id` of calls that belong to none."""

known_callers = Table(
    "report_callers",
    Base.metadata,
    Column("group_id", WHOLE, primary_key=True, autoincrement=False),
    Column("caller", Text(), primary_key=True),
    Column("day", Date(), nullable=False),
    Index("ix_report_callers_day", "day"),
)
group_of_call: ColumnElement[int] = func.coalesce(Call.group_id, NO_GROUP)
caller_of_call: ColumnElement[str | None] = func.coalesce(type_coerce(Call.caller, Text()), Call.caller_hash)
"""Who rang: his number, or what is left of it."""


def keep_newcomers(session: Session, day: date) -> None:
    """Bring what is known of the callers of `day` up to date.

    Where a caller turns out to have rung earlier than was known, or not to have rung on that day after
    all, another day's counts are wrong: it counts as changed.
    """
    rang = (
        select(group_of_call.label("group_id"), caller_of_call.label("caller"))
        .where(_on(day), caller_of_call.is_not(None))
        .distinct()
        .subquery("rang")
    )
    later = select(known_callers.c.day).join(rang, _same(rang)).where(known_callers.c.day > day).distinct()
    session.execute(insert(changes).from_select(["day"], later))
    gone = delete(known_callers).where(
        known_callers.c.day == day, ~select(rang.c.caller).where(_same(rang)).exists()
    )
    _know_anew(
        session, session.execute(gone.returning(known_callers.c.group_id, known_callers.c.caller)).all()
    )
    first = postgresql.insert(known_callers).from_select(
        ["group_id", "caller", "day"], select(rang.c.group_id, rang.c.caller, literal(day, Date()))
    )
    session.execute(
        first.on_conflict_do_update(
            index_elements=["group_id", "caller"],
            set_={"day": first.excluded.day},
            where=known_callers.c.day > first.excluded.day,
        )
    )


def days_in_doubt(session: Session, changed: Collection[date]) -> set[date]:
    """The days on which somebody may have rung first who rang for the first time on a day that changed.

    Or no longer did on that day. `changed` are days that were rolled up before days after them were.
    """
    if not changed:
        return set()
    spans = or_(*(_on(day) for day in changed))
    rang = (
        select(group_of_call.label("group_id"), caller_of_call.label("caller"), day_of_call.label("day"))
        .where(spans, caller_of_call.is_not(None))
        .distinct()
        .subquery("rang")
    )
    later = select(known_callers.c.day).join(rang, _same(rang)).where(known_callers.c.day > rang.c.day)
    on_that_day = select(rang.c.caller).where(_same(rang), rang.c.day == known_callers.c.day)
    gone = (
        select(known_callers.c.group_id, known_callers.c.caller)
        .where(known_callers.c.day.in_(changed), ~on_that_day.exists())
        .subquery("gone")
    )
    again = (
        select(func.min(day_of_call))
        .join(gone, and_(gone.c.group_id == group_of_call, gone.c.caller == caller_of_call))
        .group_by(gone.c.group_id, gone.c.caller)
    )
    return {*session.scalars(later.distinct()), *session.scalars(again)}


def _on(day: date) -> ColumnElement[bool]:
    span = day_span(day)
    return and_(Call.started_at >= span.begin, Call.started_at < span.end)


def _same(rang: Subquery) -> ColumnElement[bool]:
    return and_(rang.c.group_id == known_callers.c.group_id, rang.c.caller == known_callers.c.caller)


def _know_anew(session: Session, gone: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Look through the log for callers who did not ring on their first day after all; they are few."""
    if not gone:
        return
    callers = [(row.group_id, row.caller) for row in gone]
    first = (
        select(group_of_call, caller_of_call, func.min(day_of_call))
        .where(tuple_(group_of_call, caller_of_call).in_(callers))
        .group_by(group_of_call, caller_of_call)
    )
    found = session.execute(first).all()
    if found:
        session.execute(
            insert(known_callers),
            [{"group_id": row[0], "caller": row[1], "day": row[2]} for row in found],
        )
        note_changes(session, {row[2] for row in found})

"""Bring all roll-ups up to date, one transaction a day: what the worker does all the time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.database import Database
from models.reporting import keeping
from models.reporting.changes import thin_out_changes

Advance = Callable[[int], object]


def bring_up_to_date(database: Database, now: datetime, advance: Advance = lambda _done: None) -> int:
    """Roll up the days that have changed and sum up the months that are over; return how many days.

    Days that are not over are left to the log. `advance` is called after each day and may raise to stop.
    Does nothing on SQLite, nor where another process is at it. Raises what the database raises.
    """
    if not database.is_postgresql:
        return 0
    with database.session() as session:
        thin_out_changes(session)
    with database.reading() as session:
        days = keeping.days_to_roll_up(session, now)
    done = 0
    for day in days:
        with _snapshot(database) as session:
            if not keeping.roll_up_day(session, day):
                return done
        done += 1
        advance(1)
    with database.reading() as session:
        months = keeping.months_to_sum(session, now)
    for month in months:
        with _snapshot(database) as session:
            keeping.sum_month(session, month)
        advance(0)
    return done


def begin_anew(database: Database) -> int:
    """Forget the roll-ups and return how many days are to be rolled up; reports read the log meanwhile."""
    with database.session() as session:
        return keeping.begin_anew(session)


def differences(database: Database, advance: Advance = lambda _done: None) -> dict[date, int]:
    """The days whose roll-ups are wrong, and how many are; a month stands under its first day."""
    found: dict[date, int] = {}
    with database.reading() as session:
        days, months = keeping.days_with_roll_ups(session), keeping.months_with_blocks(session)
    for begins, count in (
        *((day, keeping.differences_of_day) for day in days),
        *((month, keeping.differences_of_month) for month in months),
    ):
        with database.reading() as session:
            if wrong := count(session, begins):
                found[begins] = found.get(begins, 0) + wrong
        advance(1)
    return found


@contextmanager
def _snapshot(database: Database) -> Iterator[Session]:
    with database.session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        # A day takes less time than compiling its queries.
        session.execute(text("SET LOCAL jit = off"))
        yield session

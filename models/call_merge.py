"""`routing.events.merge`, said in SQL: what a row of the log becomes when more is known of its call.

Written with CASE and comparisons, which PostgreSQL and SQLite read alike.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, tuple_

from models.bulk import Columns

Expression = ColumnElement[Any]

_LEAST = ("rang_at", "answered_at", "reconciled_at")
_MOST = ("rang_until", "ended_at", "talk_seconds", "duration_seconds")
_WHOLE_SECONDS = 19
"""Characters of `2026-03-04 12:00:00`."""


def merged(dialect: str, stored: Columns, given: Columns) -> tuple[dict[str, Expression], None]:
    """What both know, column by column; `dialect` is `postgresql` or `sqlite`.

    `started_at` is the instant of arrival once the log has it; until then the earliest known.
    """
    values = {name: _least(stored[name], given[name]) for name in _LEAST}
    values |= {name: _most(stored[name], given[name]) for name in _MOST}
    values["consent_version"] = most_text(dialect, stored["consent_version"], given["consent_version"])
    values["started_at"] = case(
        (and_(stored["decision"].is_(None), given["started_at"] < stored["started_at"]), given["started_at"]),
        else_=stored["started_at"],
    )
    values |= _together(dialect, stored, given, ("disposition_rank",), ("disposition",))
    values |= _together(dialect, stored, given, ("answering_leg_rank",), ("answering_leg",))
    values |= _together(dialect, stored, given, ("recording_seconds",), ("recording_sid", "recording_url"))
    until = func.coalesce(values["answered_at"], values["rang_until"], type_=stored["rang_at"].type)
    values["ring_seconds"] = ring_seconds(dialect, values["rang_at"], until)
    return values, None


def ring_seconds(dialect: str, rang_at: Expression, until: Expression) -> Expression:
    """Whole seconds of the clock between two instants, never negative; NULL where one is."""
    seconds = _clock(dialect, until) - _clock(dialect, rang_at)
    return case((seconds < 0, 0), else_=seconds)


def most_text(dialect: str, stored: Expression, given: Expression) -> Expression:
    return case((or_(stored.is_(None), _bytewise(dialect, given) > stored), given), else_=stored)


def _clock(dialect: str, instant: Expression) -> Expression:
    """Seconds since 1970, fractions cut off."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.date_trunc("second", instant)), BigInteger)
    # Fractions are cut by hand: strftime would round 0.9999 up.
    return cast(func.strftime("%s", func.substr(instant, 1, _WHOLE_SECONDS)), BigInteger)


def _least(stored: Expression, given: Expression) -> Expression:
    return case((or_(stored.is_(None), given < stored), given), else_=stored)


def _most(stored: Expression, given: Expression) -> Expression:
    return case((or_(stored.is_(None), given > stored), given), else_=stored)


def _together(
    dialect: str, stored: Columns, given: Columns, numbers: tuple[str, ...], texts: tuple[str, ...]
) -> dict[str, Expression]:
    """Columns that come from one side as a whole: from the greater one, its numbers compared first."""

    def measure(side: Columns) -> list[Expression]:
        compared = [func.coalesce(side[name], -1) for name in numbers]
        return compared + [_bytewise(dialect, func.coalesce(side[name], "")) for name in texts]

    wins = tuple_(*measure(given)) > tuple_(*measure(stored))
    return {name: case((wins, given[name]), else_=stored[name]) for name in (*numbers, *texts)}


def _bytewise(dialect: str, text: Expression) -> Expression:
    """Compare as Python does, whatever the language of the database; SQLite does so anyway."""
    return text.collate("C") if dialect == "postgresql" else text

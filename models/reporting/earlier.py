"""What the rows of a ranking had in another period."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models.reporting.period import Period
from models.reporting.scope import Scope
from models.reporting.source import counts_by

_MOST_NAMED = 2_000
"""Of more rows, all that there are in the other period are read."""
Key = tuple[Any, ...]


def earlier_calls(
    session: Session, scope: Scope, period: Period, names: Sequence[str], rows: Collection[Key]
) -> dict[Key, int]:
    """The calls of these rows, where there are any; each row has its values of `names`, columns of facts."""
    counts = counts_by(session, scope, period.span, names)
    keys = [counts.c[name] for name in names]
    wanted = select(*keys, func.sum(counts.c.calls)).group_by(*keys)
    firsts = {row[0] for row in rows}
    if len(firsts) <= _MOST_NAMED:
        wanted = wanted.where(_one_of(keys[0], firsts))
    return {tuple(row[:-1]): row[-1] for row in session.execute(wanted)}


def _one_of(column: ColumnElement[Any], values: set[Any]) -> ColumnElement[bool]:
    named = column.in_(values - {None})
    return or_(named, column.is_(None)) if None in values else named

"""Finding rows by the words of their names."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.lists.listing import dialect_of
from models.search import begins_words

_FEW = 5_000


def words_condition(
    session: Session,
    id_column: InstrumentedAttribute[int],
    columns: Sequence[InstrumentedAttribute[Any]],
    written: str,
) -> ColumnElement[bool]:
    """Whether each word of `written` begins a word of one of the columns.

    PostgreSQL takes any beginning of a word for that of half a percent of the rows, and for one that
    none has would walk through all of them in the order asked for. So the index is asked first: few
    rows are named by their ids, and only for many the condition itself is left to the planner.
    """
    condition = begins_words(dialect_of(session), columns, written)
    if dialect_of(session) != "postgresql":
        return condition
    # Planned for all rows, read only as far as needed.
    found = select(id_column.label("id")).where(condition).cte("found").prefix_with("MATERIALIZED")
    ids = session.scalars(select(found.c.id).limit(_FEW + 1)).all()
    if len(ids) > _FEW:
        return condition
    return id_column == any_(literal(list(ids), ARRAY(BigInteger)))

"""The call log as it leaves us: plain values, many at a time, never all at once."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, Text, select, type_coerce
from sqlalchemy.orm import Session

from models.base import E164
from models.call import Call

_PIECE = 2_000
_CALLS: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause


def plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as it is stored: a phone number needs not become an object to be written down again."""
    return type_coerce(column, Text()).label(column.key) if isinstance(column.type, E164) else column


# Ranks decide which word stays; they say nothing to a reader.
EXPORTED = [plain(column) for column in _CALLS.columns if not column.name.endswith("_rank")]
"""The columns of `exported`."""


def exported(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """The calls that began in [`since`, `until`), in the order in which they were logged; None: no limit."""
    wanted = select(*EXPORTED).order_by(_CALLS.c.id)
    if since is not None:
        wanted = wanted.where(_CALLS.c.started_at >= since)
    if until is not None:
        wanted = wanted.where(_CALLS.c.started_at < until)
    return in_pieces(session, wanted)


def in_pieces(
    session: Session, wanted: Select[*tuple[Any, ...]]
) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """The rows of a query in constant memory, some thousand at a time."""
    return session.execute(wanted, execution_options={"yield_per": _PIECE}).partitions()


def spelled_out(value: object) -> str:
    """A value that JSON does not know: an instant as RFC 3339 in UTC."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)

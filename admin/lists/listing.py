"""How every list is asked for: limit, cursor, sort, count; and how a page of it is read.

A page is found by its first row, not by its distance from the start: the cursor holds the sort key and
id of the last row that was shown, so the last page costs what the first one does, and rows that come
or go meanwhile shift nothing.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    Text,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from admin.drafts import LARGEST_ID, Draft, line
from admin.errors import FieldError, Invalid
from admin.views import Page
from models.base import UtcDateTime

LARGEST_PAGE = 200
_TYPES: dict[type, TypeEngine[Any]] = {str: Text(), int: BigInteger(), datetime: UtcDateTime()}
V = TypeVar("V")


class Filters(Draft):
    """What every list takes, read from an address: numbers and instants are spelled as text."""

    model_config = ConfigDict(strict=False)

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str | None, Field(max_length=4000, description="`next_cursor` of the page before")] = (
        None
    )
    count: Annotated[bool, Field(description="whether to count the whole list into `total`")] = False
    count_to: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_ID, description="count no farther: a `total` of this says at least so many"),
    ] = None


@dataclass(frozen=True, slots=True)
class Key:
    """What rows are sorted by, the id breaking ties; an expression that is never NULL."""

    expression: SQLColumnExpression[Any]
    kind: type[str] | type[int] | type[datetime]


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a list: where they are, which are wanted, how they can be sorted."""

    id_column: InstrumentedAttribute[int]
    keys: Mapping[str, Key]
    conditions: Sequence[ColumnElement[bool]]
    source: FromClause | None = None
    """Where the keys are read, if not in the table of the id alone."""


def read_page(
    session: Session,
    filters: Filters,
    sort: str,
    listing: Listing,
    views: Callable[[Sequence[int]], list[V]],
) -> Page[V]:
    """Read one page: its ids first, then what `views` shows of them. Raise `Invalid` for a bad cursor."""
    key = listing.keys[sort.removeprefix("-")]
    descending = sort.startswith("-")
    wanted: Select[*tuple[Any, ...]] = select(listing.id_column, key.expression.label("sort_key")).where(
        *listing.conditions
    )
    if listing.source is not None:
        wanted = wanted.select_from(listing.source)
    if filters.cursor is not None:
        shown = tuple_(key.expression, listing.id_column)
        value, row_id = _opened(filters.cursor, sort, key)
        last = tuple_(literal(value, _TYPES[key.kind]), literal(row_id, BigInteger))
        wanted = wanted.where(shown < last if descending else shown > last)
    order = [column.desc() if descending else column.asc() for column in (key.expression, listing.id_column)]
    rows = session.execute(wanted.order_by(*order).limit(filters.limit + 1)).all()
    page = rows[: filters.limit]
    following = len(rows) > len(page)
    return Page(
        items=views([row[0] for row in page]) if page else [],
        next_cursor=_closed(sort, page[-1][1], page[-1][0]) if following else None,
        total=_counted(session, listing, filters.count_to) if filters.count else None,
    )


def in_order(ids: Sequence[int], by_id: Mapping[int, V]) -> list[V]:
    """The views of `ids`, in their order."""
    return [by_id[each] for each in ids if each in by_id]


def compared(*comparisons: tuple[Any, Callable[[Any, Any], Any], object]) -> list[ColumnElement[bool]]:
    """The conditions `column, operator, value` of those filters that were given a value."""
    return [operator(column, value) for column, operator, value in comparisons if value is not None]


def alphabetical(session: Session, column: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """A text as a sort key: without regard to case, by code points on every server alike."""
    lowered: ColumnElement[Any] = func.lower(type_coerce(column, Text))
    return lowered.collate("C") if dialect_of(session) == "postgresql" else lowered


def unindexed(key: Key) -> Key:
    """The same order, but one that the database has to make by sorting what it has found.

    For rows that stand together in this order, far from its beginning: walking there would take long.
    """
    return Key(key.expression.concat(literal_column("''")), key.kind)


def or_blank(column: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """A text that may be missing; spelled as in the indexes."""
    return func.coalesce(column, literal_column("''"))


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


def _counted(session: Session, listing: Listing, most: int | None) -> int:
    wanted = select(listing.id_column).where(*listing.conditions).limit(most).subquery()
    return session.scalars(select(func.count()).select_from(wanted)).one()


def _closed(sort: str, value: object, row_id: int) -> str:
    spelled = value.isoformat() if isinstance(value, datetime) else value
    text = json.dumps([sort, spelled, row_id], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str, sort: str, key: Key) -> tuple[object, int]:
    """The sort key and the id that a cursor names.

    It is checked, not signed: it can only choose where in the list of those rows that its bearer may see
    anyway the page begins.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        named, spelled, row_id = json.loads(raw)
        if named != sort or type(row_id) is not int or abs(row_id) > LARGEST_ID:
            raise ValueError(sort)  # noqa: TRY301 - one answer to everything that is wrong
        return _value(spelled, key.kind), row_id
    except (ValueError, TypeError, OverflowError, RecursionError, PydanticCustomError):
        message = "is no cursor of this list in this order; begin anew without one"
        raise Invalid(FieldError("cursor", message)) from None


def _value(spelled: object, kind: type) -> object:
    if kind is datetime:
        moment = datetime.fromisoformat(str(spelled))
        if moment.tzinfo is None:
            raise ValueError(kind)
        return moment.astimezone(UTC)
    if type(spelled) is not kind or (isinstance(spelled, int) and abs(spelled) > LARGEST_ID):
        raise ValueError(kind)
    return line(spelled) if isinstance(spelled, str) else spelled

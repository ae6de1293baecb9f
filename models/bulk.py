"""Inserts of several hundred rows at once that say what becomes of rows which are there already."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import starmap
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import column as column_of
from sqlalchemy.dialects import postgresql, sqlite

from models.base import Row

Columns = Mapping[str, ColumnElement[Any]]
Resolve = Callable[[str, Columns, Columns], tuple[dict[str, ColumnElement[Any]], ColumnElement[bool] | None]]
"""(dialect, columns as they are, columns as given) → what to set, and for which rows (None: for all)."""

_PARAMETER = "given_rows"


class Upsert:
    """One prepared statement for `table`, whose rows are told apart by the first columns given, its key.

    Rows that are there stay as they are, or become what `resolve` says. PostgreSQL gets all rows as
    one JSON parameter: a third of the time of arrays, whose text the driver escapes in Python.
    """

    def __init__(
        self, table: Table, key: Sequence[str], others: Sequence[str], resolve: Resolve | None = None
    ) -> None:
        self._key = tuple(key)
        self._columns = tuple(table.c[name] for name in (*key, *others))
        self._names = tuple(column.name for column in self._columns)
        self._record = msgspec.defstruct(
            table.name, [(name, Any, None) for name in self._names], omit_defaults=True, gc=False
        )
        self._statements: dict[str, Insert] = {
            "postgresql": self._of_json(table, resolve),
            "sqlite": self._of_rows(table, resolve),
        }

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Write rows, the values in the order of the columns; return how many were new or were changed.

        Each key comes at most once among them. They are written in the order of their keys: two
        workers that meet in the same rows then wait for each other, never crosswise. Text is stored
        whatever it holds: characters that a database refuses are replaced.
        """
        if not rows:
            return 0
        ordered = sorted(rows, key=itemgetter(*range(len(self._key))))
        dialect = connection.dialect
        given: dict[str, str] | list[Row]
        if dialect.name == "postgresql":
            given = {_PARAMETER: self._json(ordered, dialect)}
        else:
            given = [dict(zip(self._names, map(storable, row), strict=True)) for row in ordered]
        counted = {"preserve_rowcount": True}
        return connection.execute(self._statements[dialect.name], given, execution_options=counted).rowcount

    def _json(self, rows: Sequence[Sequence[Any]], dialect: Dialect) -> str:
        # Column by column and then as structs, so that the loops run in C.
        ways = [_way_into_json(column, dialect) for column in self._columns]
        columns = [
            values if way is None else map(way, values)
            for way, values in zip(ways, zip(*rows, strict=True), strict=True)
        ]
        records = list(starmap(self._record, zip(*columns, strict=True)))
        return msgspec.json.encode(records).decode()

    def _of_json(self, table: Table, resolve: Resolve | None) -> Insert:
        given = (
            func.json_to_recordset(cast(bindparam(_PARAMETER, type_=Text()), postgresql.JSON()))
            .table_valued(*(column_of(c.name, _sent_as(c)) for c in self._columns), name="given")
            .render_derived(with_types=True)
        )
        rows = select(*(cast(given.c[c.name], c.type) for c in self._columns))
        insert = postgresql.insert(table).from_select(list(self._names), rows, include_defaults=False)
        if resolve is None:
            return insert.on_conflict_do_nothing(index_elements=self._key)
        values, where = resolve("postgresql", dict(table.c.items()), dict(insert.excluded.items()))
        return insert.on_conflict_do_update(index_elements=self._key, set_=values, where=where)

    def _of_rows(self, table: Table, resolve: Resolve | None) -> Insert:
        insert = sqlite.insert(table).values({c.name: bindparam(c.name) for c in self._columns})
        if resolve is None:
            return insert.on_conflict_do_nothing(index_elements=self._key)
        values, where = resolve("sqlite", dict(table.c.items()), dict(insert.excluded.items()))
        return insert.on_conflict_do_update(index_elements=self._key, set_=values, where=where)


def storable(value: object) -> object:
    """PostgreSQL refuses NUL, and no database takes halves of surrogate pairs."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _sent_as(column: Column[Any]) -> Any:  # noqa: ANN401 - any type of SQLAlchemy's
    return Text() if isinstance(column.type, JSON) else column.type


def _way_into_json(column: Column[Any], dialect: Dialect) -> Callable[[Any], object] | None:
    """How a value of the column is put into JSON, if not as it is."""
    if isinstance(column.type, JSON):
        return _json_text
    if isinstance(column.type, Text):
        return storable
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _json_text(value: object) -> str | None:
    """JSON inside JSON travels as text: as it is, its escapes would be undone and some of them refused."""
    if value is None:
        return None
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # halves of surrogate pairs, which this one escapes
        return json.dumps(value)

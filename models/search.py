"""How rows are found by what people type: the beginnings of words, the beginning or end of a number.

PostgreSQL answers all of it from indexes (migration r0005): words from a GIN index over the words of
a row, the end of a number from an index over the number read backwards. SQLite reads the rows.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, func, or_, text, true, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""What parts words, beside the space."""
_BLANKS = str.maketrans(PUNCTUATION, " " * len(PUNCTUATION))
_NO_DIGIT = re.compile(r"[^0-9]")


def words_in(written: str) -> list[str]:
    """The words of what was typed, in lower case."""
    return written.lower().translate(_BLANKS).split()


def words_vector(table: str, *columns: str) -> str:
    """The words of some columns as a tsvector; spelled as in the index, or PostgreSQL would not use it."""
    joined = " || ' ' || ".join(f"coalesce({table}.{column}, '')" for column in columns)
    punctuation = PUNCTUATION.replace("'", "''")
    parted = f"translate(lower({joined}), '{punctuation}', '{' ' * len(PUNCTUATION)}')"
    return f"array_to_tsvector(array_remove(string_to_array({parted}, ' '), ''))"


def begins_words(
    dialect: str, columns: Sequence[InstrumentedAttribute[Any]], written: str
) -> ColumnElement[bool]:
    """Whether each word of `written` begins a word of one of the columns, all of one table.

    Case does not matter.
    """
    words = words_in(written)
    if not words:
        return true()
    if dialect == "postgresql":
        vector = words_vector(columns[0].class_.__tablename__, *(column.key for column in columns))
        wanted = " & ".join(f"({_spellings(word)})" for word in words)
        return text(f"{vector} @@ CAST(:words AS tsquery)").bindparams(words=wanted)  # type: ignore[return-value]
    said = func.hookswitch_words(_joined(columns))
    return and_(*(func.instr(said, f" {word}") > 0 for word in words))


def _spellings(word: str) -> str:
    """A word as it may stand in the index: a server with the locale C lowers the letters A to Z alone."""
    spellings = {word, word.upper(), word.capitalize()}
    lowered = {"".join(c.lower() if c.isascii() else c for c in spelling) for spelling in spellings}
    return " | ".join(f"'{spelling}':*" for spelling in sorted(lowered))


def spaced_words(written: str | None) -> str:
    """The words of a text, each after a space: the function `hookswitch_words` of SQLite connections."""
    return "".join(f" {word}" for word in words_in(written or ""))


def _joined(columns: Sequence[InstrumentedAttribute[Any]]) -> ColumnElement[Any]:
    first, *others = (func.coalesce(type_coerce(column, Text), "") for column in columns)
    joined: ColumnElement[Any] = first
    for other in others:
        joined = type_coerce(joined, Text) + " " + other
    return joined


def digits_in(written: str) -> str:
    return _NO_DIGIT.sub("", written)


def digits_match(
    dialect: str, column: InstrumentedAttribute[Any], written: str, prefixes: Sequence[str] = ()
) -> ColumnElement[bool]:
    """Whether a number begins with the digits of `written`, or ends with them.

    After a plus sign only the beginning counts. `prefixes` are country codes that may have been left
    out: with `1` among them `415 555` finds +1 415 555….
    """
    digits = digits_in(written)
    number = type_coerce(column, Text)
    if written.lstrip().startswith("+"):
        return number.like(f"+{digits}%")
    begins = [number.like(f"+{digits}%")]
    # A national form may begin with a zero that the international one lacks.
    begins += [number.like(f"+{prefix}{digits.removeprefix('0')}%") for prefix in prefixes]
    if dialect == "postgresql":
        return or_(*begins, func.reverse(number).like(f"{digits[::-1]}%"))
    return or_(*begins, number.like(f"%{digits}"))

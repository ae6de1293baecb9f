"""Whose calls a report counts."""

from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, ColumnElement, SQLColumnExpression, any_, literal
from sqlalchemy.orm import Session

from routing.numbers import PhoneNumber


@dataclass(frozen=True, slots=True)
class Scope:
    """The calls of some groups, or of all; of these perhaps one campaign's or one number's alone."""

    group_ids: frozenset[int] | None
    """None: all calls, also those that belong to no group."""
    campaign_id: int | None = None
    number: PhoneNumber | None = None


def among(
    session: Session, column: SQLColumnExpression[int | None], ids: frozenset[int] | None
) -> list[ColumnElement[bool]]:
    """The conditions under which `column` is one of `ids`; None: always."""
    if ids is None:
        return []
    if session.get_bind().dialect.name == "postgresql":
        # One parameter however many groups.
        return [column == any_(literal(sorted(ids), ARRAY(BigInteger)))]
    return [column.in_(sorted(ids))]

"""The ground of all mappings: names of constraints, instants in UTC, phone numbers in E.164."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Enum, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from routing.numbers import PhoneNumber

_LONGEST_E164 = 16


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out, to the microsecond; refuses naive instants with ValueError.

    `timestamptz` on PostgreSQL; on SQLite text without offset, which sorts as the instants do.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without offset could mean any of 26 hours; give an aware datetime")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class E164(TypeDecorator[PhoneNumber]):
    """A `PhoneNumber`, stored as its E.164 text."""

    impl = String(_LONGEST_E164)
    cache_ok = True

    def process_bind_param(self, value: PhoneNumber | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.e164

    def process_result_value(self, value: str | None, dialect: Dialect) -> PhoneNumber | None:  # noqa: ARG002
        return None if value is None else PhoneNumber(value)


def words(kind: type[StrEnum], name: str) -> Enum:
    """A column that holds the words of `kind` and, by a constraint called after `name`, no others."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


# SQLite counts up only what it calls INTEGER.
WHOLE = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares it as an instance attribute
        int: WHOLE,
        str: Text(),
        bool: Boolean(),
        datetime: UtcDateTime(),
        PhoneNumber: E164(),
    }


Row = dict[str, Any]
"""Column names to values, as plain Python objects."""


LOCKED = {"key_share": True}
"""`with_for_update` of `Session.get`: others wait to change the row, and may refer to it."""

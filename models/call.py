"""The call log: one row per call, with the decision and the facts it was decided on."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from sqlalchemy import JSON, Connection, Index, Insert, Table, UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Row
from routing.numbers import PhoneNumber

_EXPORT_BATCH = 2000


class Call(Base):
    """A call, named by carrier and CallSid for ever.

    The ids of campaign and group are no foreign keys: a call is logged whatever became of them.
    """

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("carrier", "call_sid"),
        Index(None, "group_id", "started_at"),
        Index(None, "campaign_id", "started_at"),
        Index(None, "tracking_number", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    carrier: Mapped[str]
    call_sid: Mapped[str]
    tracking_number: Mapped[PhoneNumber | None]
    dialled_text: Mapped[str | None]
    """What the carrier wrote where `tracking_number` is None."""
    campaign_id: Mapped[int | None]
    campaign_external_id: Mapped[str | None]
    group_id: Mapped[int | None]
    caller: Mapped[PhoneNumber | None]
    caller_city: Mapped[str | None]
    caller_state: Mapped[str | None]
    caller_country: Mapped[str | None]
    attestation: Mapped[str | None]
    forwarded_from: Mapped[PhoneNumber | None]
    decision: Mapped[str]
    """connect, referral, reject or apology."""
    reason: Mapped[str]
    destination: Mapped[PhoneNumber | None]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ring_seconds: Mapped[int | None]
    talk_seconds: Mapped[int | None]
    duration_seconds: Mapped[int | None]
    disposition: Mapped[str | None]
    recording_url: Mapped[str | None]
    source: Mapped[str]
    """Where the facts were read: index, database, snapshot, request or none."""
    # json, not jsonb: it keeps what it is given, and takes the escapes that jsonb refuses.
    facts: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    """The facts it was decided on; None: nothing was known of the number."""
    created_at: Mapped[datetime]


class ArrivalRow(TypedDict):
    """What is known when a call arrives, under the names of the columns."""

    carrier: str
    call_sid: str
    decision: str
    reason: str
    source: str
    started_at: datetime
    created_at: datetime
    tracking_number: NotRequired[PhoneNumber | None]
    dialled_text: NotRequired[str | None]
    campaign_id: NotRequired[int | None]
    campaign_external_id: NotRequired[str | None]
    group_id: NotRequired[int | None]
    caller: NotRequired[PhoneNumber | None]
    caller_city: NotRequired[str | None]
    caller_state: NotRequired[str | None]
    caller_country: NotRequired[str | None]
    attestation: NotRequired[str | None]
    forwarded_from: NotRequired[PhoneNumber | None]
    destination: NotRequired[PhoneNumber | None]
    facts: NotRequired[Any]


_CALLS: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause
_ARRIVAL_COLUMNS = tuple(ArrivalRow.__annotations__)
_KEY = ("carrier", "call_sid")
_INSERTS: dict[str, Insert] = {
    "postgresql": postgresql.insert(_CALLS).on_conflict_do_nothing(index_elements=_KEY),
    "sqlite": sqlite.insert(_CALLS).on_conflict_do_nothing(index_elements=_KEY),
}


def record_arrivals(session: Session, rows: Sequence[ArrivalRow]) -> int:
    """Log arrivals in one statement and return how many were new.

    Idempotent by carrier and CallSid: what is in the log stays as it was decided first. Several
    hundred rows at a time are fast. Text is stored whatever the carrier sent: characters that a
    database refuses are replaced.
    """
    if not rows:
        return 0
    connection = session.connection()
    # Two workers that meet in the same calls wait for each other in one order, never crosswise.
    ordered = sorted(rows, key=lambda row: (row["carrier"], row["call_sid"]))
    return _insert(connection, [_complete(row) for row in ordered])


def recent(session: Session, limit: int) -> Sequence[Call]:
    """The calls logged last, the newest first."""
    return session.scalars(select(Call).order_by(Call.id.desc()).limit(limit)).all()


def call_by_sid(session: Session, carrier: str, call_sid: str) -> Call | None:
    return session.scalar(select(Call).where(Call.carrier == carrier, Call.call_sid == call_sid))


def export_rows(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Row]:
    """The calls that began in [`since`, `until`), in constant memory; keys are the column names.

    In the order in which they were logged; None sets no limit.
    """
    wanted = select(_CALLS).order_by(_CALLS.c.id)
    if since is not None:
        wanted = wanted.where(_CALLS.c.started_at >= since)
    if until is not None:
        wanted = wanted.where(_CALLS.c.started_at < until)
    rows = session.execute(wanted, execution_options={"yield_per": _EXPORT_BATCH})
    for row in rows.mappings():
        yield dict(row)


def _insert(connection: Connection, rows: list[Row]) -> int:
    counted = {"preserve_rowcount": True}
    return connection.execute(_INSERTS[connection.dialect.name], rows, execution_options=counted).rowcount


def _complete(row: ArrivalRow) -> Row:
    # All rows of one statement need the same columns.
    return {column: _storable(row.get(column)) for column in _ARRIVAL_COLUMNS}


def _storable(value: object) -> object:
    """PostgreSQL refuses NUL, and no database takes halves of surrogate pairs."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

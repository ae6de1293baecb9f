"""The call log: one row per call, with the decision, the facts it was decided on, and how it went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from sqlalchemy import JSON, Index, Table, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base
from models.bulk import Columns, Upsert
from models.call_merge import Expression, most_text
from routing.numbers import PhoneNumber


class Call(Base):
    """A call, named by carrier and CallSid for ever.

    The ids of campaign and group are no foreign keys: a call is logged whatever became of them.
    `decision`, `reason` and `source` are None together, as long as the log has heard of the call
    (models.call_event) but not of its arrival.
    """

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("carrier", "call_sid"),
        Index(None, "group_id", "started_at"),
        Index(None, "campaign_id", "started_at"),
        Index(None, "tracking_number", "started_at"),
        Index(None, "started_at", "id"),
        Index(
            None,
            "blocked_by",
            "started_at",
            postgresql_where=text("blocked_by IS NOT NULL"),
            sqlite_where=text("blocked_by IS NOT NULL"),
        ),
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
    caller_hash: Mapped[str | None]
    """What is left of a number that is not kept any longer: the same for the same caller."""
    caller_city: Mapped[str | None]
    caller_state: Mapped[str | None]
    caller_country: Mapped[str | None]
    attestation: Mapped[str | None]
    forwarded_from: Mapped[PhoneNumber | None]
    decision: Mapped[str | None]
    """connect, referral, reject or apology."""
    reason: Mapped[str | None]
    blocked_by: Mapped[int | None]
    """The id of the block that kept the caller out (models.blocked_caller)."""
    destination: Mapped[PhoneNumber | None]
    started_at: Mapped[datetime]
    """When it arrived; where that is not known, the earliest instant at which it was on."""
    rang_at: Mapped[datetime | None]
    rang_until: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ring_seconds: Mapped[int | None]
    talk_seconds: Mapped[int | None]
    duration_seconds: Mapped[int | None]
    disposition: Mapped[str | None]
    disposition_rank: Mapped[int | None]
    answering_leg: Mapped[str | None]
    answering_leg_rank: Mapped[int | None]
    recording_sid: Mapped[str | None]
    recording_url: Mapped[str | None]
    recording_seconds: Mapped[int | None]
    consent_version: Mapped[str | None]
    reconciled_at: Mapped[datetime | None]
    """From `rang_at` to here: as in routing.events.CallUpdate."""
    source: Mapped[str | None]
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
    blocked_by: NotRequired[int | None]
    consent_version: NotRequired[str | None]
    facts: NotRequired[Any]


CALL_KEY = ("carrier", "call_sid")
_CALLS: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause
_ARRIVAL_COLUMNS = tuple(name for name in ArrivalRow.__annotations__ if name not in CALL_KEY)


def _filled_in(dialect: str, stored: Columns, given: Columns) -> tuple[dict[str, Expression], Expression]:
    """Complete a call that was heard of before it arrived; a decision stays as it was first."""
    values = {name: given[name] for name in _ARRIVAL_COLUMNS if name != "created_at"}
    values["consent_version"] = most_text(dialect, stored["consent_version"], given["consent_version"])
    return values, stored["decision"].is_(None)


_ARRIVALS = Upsert(_CALLS, CALL_KEY, _ARRIVAL_COLUMNS, _filled_in)


def record_arrivals(session: Session, rows: Sequence[ArrivalRow]) -> int:
    """Log arrivals in one statement and return how many were new.

    Idempotent by carrier and CallSid: what is in the log stays as it was decided first. Several
    hundred rows at a time are fast. Text is stored whatever the carrier sent: characters that a
    database refuses are replaced.
    """
    if not rows:
        return 0
    first: dict[tuple[str, str], ArrivalRow] = {}
    for row in rows:
        first.setdefault((row["carrier"], row["call_sid"]), row)
    values = [(*key, *map(row.get, _ARRIVAL_COLUMNS)) for key, row in first.items()]
    return _ARRIVALS.run(session.connection(), values)


def recent(session: Session, limit: int) -> Sequence[Call]:
    """The calls logged last, the newest first."""
    return session.scalars(select(Call).order_by(Call.id.desc()).limit(limit)).all()


def call_by_sid(session: Session, carrier: str, call_sid: str) -> Call | None:
    return session.scalar(select(Call).where(Call.carrier == carrier, Call.call_sid == call_sid))

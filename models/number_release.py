"""Numbers on their way back to the carrier: they rest for some days first, and may be had back."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Select, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words
from routing.numbers import PhoneNumber


class ReleaseStep(StrEnum):
    QUARANTINE = "quarantine"
    """Callers are rejected; the carrier still keeps the number for us."""
    RETURNING = "returning"
    """It is being given back, and may be gone already."""
    RETURNED = "returned"
    """It is the carrier's again."""
    UNDONE = "undone"
    """We kept it, or have it again."""


_UNDER_WAY = text("step IN ('quarantine', 'returning')")


class NumberRelease(Base):
    """One release of a tracking number, from its quarantine on."""

    __tablename__ = "number_releases"
    __table_args__ = (
        Index(
            "uq_number_releases_under_way",
            "number",
            unique=True,
            postgresql_where=_UNDER_WAY,
            sqlite_where=_UNDER_WAY,
        ),
        Index(None, "step", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking_number_id: Mapped[int] = mapped_column(ForeignKey("tracking_numbers.id"), index=True)
    number: Mapped[PhoneNumber]
    carrier: Mapped[str]
    carrier_sid: Mapped[str | None]
    step: Mapped[ReleaseStep] = mapped_column(words(ReleaseStep, "step"), default=ReleaseStep.QUARANTINE)
    due_at: Mapped[datetime]
    """When it goes back to the carrier."""
    returned_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    created_at: Mapped[datetime]


def due(session: Session, now: datetime, limit: int) -> list[int]:
    """The ids of those that have rested long enough, and of those whose return was interrupted."""
    wanted = select(NumberRelease.id).where(
        NumberRelease.step.in_((ReleaseStep.QUARANTINE, ReleaseStep.RETURNING)), NumberRelease.due_at <= now
    )
    return list(session.scalars(wanted.order_by(NumberRelease.due_at, NumberRelease.id).limit(limit)))


def locked_release(session: Session, release_id: int) -> NumberRelease:
    """The release, which nobody else changes until this transaction ends."""
    return session.get_one(NumberRelease, release_id, with_for_update=True, populate_existing=True)


def newest_release(session: Session, number: PhoneNumber) -> NumberRelease | None:
    """The newest release of a number, whatever became of it; to be looked at."""
    return session.scalar(_newest(number))


def last_release(session: Session, number: PhoneNumber) -> NumberRelease | None:
    """Likewise, and nobody else changes it until this transaction ends."""
    return session.scalar(_newest(number).with_for_update())


def _newest(number: PhoneNumber) -> Select[NumberRelease]:
    wanted = select(NumberRelease).where(NumberRelease.number == number)
    return wanted.order_by(NumberRelease.id.desc()).limit(1)


def in_quarantine(session: Session, numbers: Collection[PhoneNumber]) -> set[PhoneNumber]:
    """Which of these numbers the carrier still keeps for us until their time has come."""
    resting = (ReleaseStep.QUARANTINE, ReleaseStep.RETURNING)
    wanted = select(NumberRelease.number).where(
        NumberRelease.number.in_(numbers), NumberRelease.step.in_(resting)
    )
    return set(session.scalars(wanted))

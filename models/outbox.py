"""The outbox: which facts changed in committed transactions and may not have reached the index yet."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words


class Topic(StrEnum):
    CAMPAIGN = "campaign"
    TRACKING_NUMBER = "tracking_number"
    BLOCKED_CALLER = "blocked_caller"


class Outbox(Base):
    """One change; written by the session itself (models.propagation), so that no writer can forget it."""

    __tablename__ = "outbox"
    # Without it SQLite gives the id of a discarded row to the next, and a slow reader would discard that.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[Topic] = mapped_column(words(Topic, "topic"))
    entity_id: Mapped[int]
    revision: Mapped[int]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Change:
    """A campaign, tracking number or block whose facts the index has to hear of."""

    id: int
    topic: Topic
    entity_id: int
    revision: int
    created_at: datetime


def pending(session: Session, limit: int) -> list[Change]:
    """The oldest changes, at most `limit`."""
    columns = (Outbox.id, Outbox.topic, Outbox.entity_id, Outbox.revision, Outbox.created_at)
    return [Change(*row) for row in session.execute(select(*columns).order_by(Outbox.id).limit(limit))]


def discard(session: Session, ids: Collection[int]) -> None:
    """Forget changes that the index has heard of; ids that are gone already are no error."""
    session.execute(delete(Outbox).where(Outbox.id.in_(ids)))


def waiting(session: Session, topic: Topic, ids: Collection[int]) -> set[int]:
    """Which of these campaigns or tracking numbers have changes that the index may not have heard of."""
    concerned = Outbox.entity_id.in_(ids)
    return set(session.scalars(select(Outbox.entity_id).where(Outbox.topic == topic, concerned)))


def is_waiting(session: Session, topic: Topic) -> bool:
    """Whether the index may not have heard of some change of this kind."""
    return session.scalar(select(Outbox.id).where(Outbox.topic == topic).limit(1)) is not None


def backlog(session: Session) -> tuple[int, datetime | None]:
    """How many changes wait, and since when."""
    count, oldest = session.execute(select(func.count(), func.min(Outbox.created_at))).one()
    return count, oldest

"""Answers that are kept for a day, so that a request sent twice is done once."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base

KEPT_FOR = timedelta(hours=24)


class KeptAnswer(Base):
    """The answer to one request with an Idempotency-Key; written in the transaction of what it answers."""

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body: another request under the same key is a mistake."""
    status: Mapped[int]
    location: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


def kept_answer(session: Session, user_id: int, key: str) -> KeptAnswer | None:
    """What was answered to this user under this key."""
    return session.scalar(select(KeptAnswer).where(KeptAnswer.user_id == user_id, KeptAnswer.key == key))


def forget_answers(session: Session, now: datetime) -> None:
    """Remove the answers that were kept for long enough."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < now - KEPT_FOR))

"""What signing in needs beside the password: one-time links, recovery codes, and what went wrong lately."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words


class LinkPurpose(StrEnum):
    INVITE = "invite"
    RESET = "reset"


class OneTimeLink(Base):
    """A link by which a user sets a password, once. Only the SHA-256 of its secret is kept."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(words(LinkPurpose, "purpose"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in for the second factor, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class SignInFailures(Base):
    """How often signing in failed lately, for one account or one address; named by a keyed digest."""

    __tablename__ = "sign_in_failures"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_failed_at: Mapped[datetime]


def failures_of(session: Session, subjects: Collection[str], now: datetime) -> dict[str, SignInFailures]:
    """The counts of all `subjects`, locked until the transaction ends; new ones stand at nought."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # In order, so that two requests for the same subjects never wait for each other.
    ordered = sorted(subjects)
    new = [{"subject": subject, "failures": 0, "last_failed_at": now} for subject in ordered]
    session.execute(insert(SignInFailures).values(new).on_conflict_do_nothing())
    kept = select(SignInFailures).where(SignInFailures.subject.in_(ordered)).order_by(SignInFailures.subject)
    return {row.subject: row for row in session.scalars(kept.with_for_update(key_share=True))}


def forget_failures(session: Session, before: datetime) -> None:
    """Drop the counts of what last failed before that instant."""
    session.execute(delete(SignInFailures).where(SignInFailures.last_failed_at < before))

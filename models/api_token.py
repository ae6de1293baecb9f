"""API tokens: what programs sign in with."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words


class Scope(StrEnum):
    """What a token may do at most, within what its user may do."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    """Also users, tokens, groups and plans."""


class ApiToken(Base):
    """32 random bytes that speak for a user; only their SHA-256 is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint("trim(name) <> ''", name="named"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[Scope] = mapped_column(words(Scope, "scope"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """Written at most once a minute."""
    revoked_at: Mapped[datetime | None]

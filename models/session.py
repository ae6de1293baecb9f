"""Browser sessions: rows on the server, so that logging out and disabling a user end them at once."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class UserSession(Base):
    """One signed-in browser. Only the SHA-256 of what its cookie holds is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """The idle limit counts from here; written at most once a minute."""
    second_factor_at: Mapped[datetime | None]
    """None: the password was right, the second factor is still to come (or the user has none)."""
    user_agent: Mapped[str] = mapped_column(default="")

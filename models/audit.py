"""The audit trail: who changed what, when, from which value to which."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words


class Via(StrEnum):
    """By which door a change came."""

    API = "api"
    PAGE = "page"
    COMMAND = "command"
    SYSTEM = "system"


class AuditEntry(Base):
    """One field of one thing that was changed; written by the session itself (models.auditing).

    What is new has one entry with the field `created`. Secrets leave no value, only that they changed.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "entity", "entity_id", "id"),
        Index(None, "group_id", "id"),
        Index(None, "at", "id"),
        # Without it SQLite gives the id of a removed row to the next, and a cursor would jump.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    """None: the system itself, or a command on the server."""
    via: Mapped[Via] = mapped_column(words(Via, "via"))
    entity: Mapped[str]
    """What was changed: campaign, tracking_number, group, plan, user, prompt, api_token,
    blocked_caller, …"""
    entity_id: Mapped[int]
    group_id: Mapped[int | None]
    """Whose subtree may see the entry; None: only who sees everything. No foreign key: it is history."""
    field: Mapped[str]
    old: Mapped[str | None]
    new: Mapped[str | None]

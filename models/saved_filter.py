"""Saved filters: how a user wants to see a page at every visit."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class SavedFilter(Base):
    """The filters of one page for one user, as the query that its address would hold."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("user_id", "page"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    page: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

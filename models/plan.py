"""Plans: what a subscription includes."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Plan(Base):
    """A subscription; a group without one has its parent's."""

    __tablename__ = "plans"
    __table_args__ = (UniqueConstraint("name"), CheckConstraint("trim(name) <> ''", name="named"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    includes_referral: Mapped[bool] = mapped_column(default=False)

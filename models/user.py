"""Users: the operators who own and manage campaigns."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from models.base import Base, words


class Role(StrEnum):
    """Admins manage all campaigns of their subtree, standard users those that they own."""

    ADMIN = "admin"
    STANDARD = "standard"


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class User(Base):
    """An operator; e-mail addresses are kept in lower case, so that one address is one user."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email) AND email <> ''", name="email_in_lower_case"),
        CheckConstraint("trim(name) <> ''", name="named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role, "role"), default=Role.STANDARD)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    time_zone: Mapped[str] = mapped_column(default="UTC")
    """A name of the IANA time zone database."""
    status: Mapped[UserStatus] = mapped_column(words(UserStatus, "status"), default=UserStatus.ACTIVE)
    password_hash: Mapped[str | None]
    """None: cannot log in with a password."""
    password_changed_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None]
    """Base32 (RFC 6238); None: no second factor."""
    totp_confirmed_at: Mapped[datetime | None]
    """None: the secret was shown and not yet proven; it counts from the first right code on."""
    totp_last_step: Mapped[int | None]
    """The time step of the last code that was taken: a code works once."""
    created_at: Mapped[datetime]

    @validates("email")
    def _lower(self, _key: str, email: str) -> str:
        return normal_email(email)


def normal_email(email: str) -> str:
    return email.strip().lower()


def user_by_email(session: Session, email: str) -> User | None:
    """The user with this address in whatever case."""
    return session.scalar(select(User).where(User.email == normal_email(email)))

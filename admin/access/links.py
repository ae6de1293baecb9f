"""One-time links: by them an invited user, or one who forgot his password, sets a password."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from admin.access.credentials import digest_of, new_secret
from models.sign_in import LinkPurpose, OneTimeLink
from models.user import User, UserStatus

VALID_FOR = {LinkPurpose.INVITE: timedelta(hours=72), LinkPurpose.RESET: timedelta(hours=1)}


def make_link(session: Session, user: User, purpose: LinkPurpose, now: datetime) -> str:
    """Make a link's secret; those that the user had before no longer work."""
    revoke_links(session, user.id)
    secret = new_secret()
    session.add(
        OneTimeLink(
            token_hash=digest_of(secret),
            user_id=user.id,
            purpose=purpose,
            created_at=now,
            expires_at=now + VALID_FOR[purpose],
        )
    )
    return secret


def revoke_links(session: Session, user_id: int) -> None:
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id))


def forget_links(session: Session, now: datetime) -> None:
    """Drop what is too old."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at <= now))


def link_of(session: Session, secret: str, now: datetime) -> tuple[OneTimeLink, User] | None:
    """The link and its user, both locked; None if it is unknown, used, expired, or its user disabled."""
    found = session.execute(
        select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(OneTimeLink.token_hash == digest_of(secret))
        .with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        return None
    link, user = found
    is_good = link.used_at is None and now < link.expires_at and user.status is UserStatus.ACTIVE
    return (link, user) if is_good else None

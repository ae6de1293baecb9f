"""Whose credentials a request carries: an API token, or the cookie of a session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from admin.access import trail
from admin.access.actor import Actor
from admin.access.credentials import digest_of
from models.api_token import ApiToken, Scope
from models.audit import Via
from models.base import LOCKED
from models.session import UserSession
from models.user import User, UserStatus

IDLE_LIMIT = timedelta(hours=12)
"""A session ends when nothing was asked for so long."""
ABSOLUTE_LIMIT = timedelta(days=7)
"""A session ends so long after its sign-in, whatever happens in it."""
HALF_LIMIT = timedelta(minutes=10)
"""In this time the second factor has to follow the password."""
NOTED_EVERY = timedelta(minutes=1)
"""How often a use is written down at most."""


class Due(StrEnum):
    """What has to follow before somebody is signed in."""

    SECOND_FACTOR = "second_factor"
    NEW_PASSWORD = "new_password"  # noqa: S105 - a word, not a password


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and by which credentials: those of a session or those of a token."""

    actor: Actor
    due: Due | None = None
    session_id: int | None = None
    token_id: int | None = None
    is_worth_noting: bool = False
    """Whether `note_use` has something to write."""


def of_token(session: Session, token: str, now: datetime) -> Identity | None:
    """Whom an API token speaks for; None if it is unknown, revoked, expired, or its user disabled."""
    found = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.token_hash == digest_of(token))
    ).one_or_none()
    if found is None:
        return None
    kept, user = found
    if not is_valid(kept, now) or user.status is not UserStatus.ACTIVE:
        return None
    used = kept.last_used_at
    return Identity(
        actor_of(user, kept.scope, Via.API),
        token_id=kept.id,
        is_worth_noting=used is None or now - used >= NOTED_EVERY,
    )


def of_cookie(session: Session, cookie: str, now: datetime) -> Identity | None:
    """Whose session a cookie belongs to; None if there is none, it is over, or its user disabled."""
    found = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == digest_of(cookie))
    ).one_or_none()
    if found is None:
        return None
    kept, user = found
    due = _due(kept, user)
    if user.status is not UserStatus.ACTIVE or _is_over(kept, due, now):
        return None
    return Identity(
        actor_of(user, Scope.ADMIN, Via.PAGE),
        due=due,
        session_id=kept.id,
        is_worth_noting=now - kept.seen_at >= NOTED_EVERY,
    )


def note_use(session: Session, identity: Identity, now: datetime) -> None:
    """Write down that the credentials were used; whoever comes second in the same minute writes nothing."""
    lately = now - NOTED_EVERY
    if identity.session_id is not None:
        kept = UserSession.id == identity.session_id
        session.execute(update(UserSession).where(kept, UserSession.seen_at <= lately).values(seen_at=now))
    if identity.token_id is not None:
        token = session.get(ApiToken, identity.token_id, with_for_update=LOCKED)
        if token is not None and token.last_used_at is None:
            user = session.get_one(User, token.user_id)
            trail.note(session, identity.actor.author, user, "token_first_used", at=now, value=token.name)
        if token is not None and (token.last_used_at is None or token.last_used_at <= lately):
            token.last_used_at = now


def actor_of(user: User, scope: Scope, via: Via) -> Actor:
    return Actor(user.id, user.group_id, user.role, user.time_zone, scope, via)


def is_valid(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def _due(kept: UserSession, user: User) -> Due | None:
    if user.totp_confirmed_at is not None and kept.second_factor_at is None:
        return Due.SECOND_FACTOR
    return Due.NEW_PASSWORD if user.password_changed_at is None else None


def _is_over(kept: UserSession, due: Due | None, now: datetime) -> bool:
    limit = HALF_LIMIT if due is Due.SECOND_FACTOR else ABSOLUTE_LIMIT
    return now >= kept.created_at + limit or now >= kept.seen_at + IDLE_LIMIT

"""API tokens: made for oneself or, by admins, for users of their subtree; revoked; listed."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_user
from admin.access.credentials import TOKEN_PREFIX, digest_of, new_secret
from admin.drafts import Draft, Id, Instant, Name, Reading
from admin.errors import NotThere
from models.api_token import ApiToken, Scope
from models.base import LOCKED
from models.user import User, UserStatus

_MOST = 100
"""Valid tokens of one user: far more than programs he has, and a bound on a program that loops."""


class NewToken(Draft):
    """A token to be made; for oneself unless `user_id` names somebody else."""

    name: Name
    scope: Annotated[Scope, Field(strict=False, description="the most it may do")] = Scope.WRITE
    expires_at: Annotated[Instant | None, Field(description="null: never")] = None
    user_id: Annotated[Id | None, Field(description="whom it speaks for; oneself, unless named")] = None


def create(session: Session, actor: Actor, raw: object, now: datetime) -> tuple[ApiToken, str]:
    """Make a token from a `NewToken`; return it and its secret. Raise `Invalid`, `NotAllowed`."""
    actor.require_full_scope()
    reading = Reading()
    draft = reading.read(NewToken, raw)
    user = session.get(User, draft.user_id or actor.user_id)
    if user is None or not sees_user(session, actor, user):
        reading.add("user_id", "there is no such user")
    elif user.status is not UserStatus.ACTIVE:
        reading.add("user_id", "is disabled")
    elif _valid_of(session, user.id, now) >= _MOST:
        reading.add("user_id", f"has {_MOST} valid tokens already; revoke some")
    if draft.expires_at is not None and draft.expires_at <= now:
        reading.add("expires_at", "is over already")
    reading.finish()
    secret = new_secret(TOKEN_PREFIX)
    token = ApiToken(
        user_id=draft.user_id or actor.user_id,
        name=draft.name,
        token_hash=digest_of(secret),
        scope=draft.scope,
        created_at=now,
        expires_at=draft.expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def revoke(session: Session, actor: Actor, token_id: int, now: datetime) -> ApiToken:
    """End a token at once; one that was revoked stays as it is. Raise `NotThere`, `NotAllowed`."""
    token = session.get(ApiToken, token_id, with_for_update=LOCKED)
    if token is None or not sees_user(session, actor, session.get(User, token.user_id)):
        raise NotThere("there is no such token")
    actor.require_full_scope()
    token.revoked_at = token.revoked_at or now
    session.flush()
    return token


def revoke_all(session: Session, user_id: int, now: datetime) -> None:
    """End all tokens of a user."""
    for token in session.scalars(
        select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    ):
        token.revoked_at = now


def _valid_of(session: Session, user_id: int, now: datetime) -> int:
    is_valid = ApiToken.revoked_at.is_(None) & or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
    counted = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id, is_valid)
    return session.scalar(counted) or 0

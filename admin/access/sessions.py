"""Sessions of browsers: opened at sign-in under a new secret, ended for one or for all of a user."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from admin.access.credentials import digest_of, new_secret
from admin.access.identity import ABSOLUTE_LIMIT, IDLE_LIMIT
from models.session import UserSession
from models.user import User

_LONGEST_USER_AGENT = 300


def open_session(session: Session, user: User, user_agent: str, now: datetime) -> str:
    """Open a session and return its cookie."""
    cookie = new_secret()
    session.add(
        UserSession(
            token_hash=digest_of(cookie),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
        )
    )
    return cookie


def renew(kept: UserSession) -> str:
    """Give a session a new secret, because it now may do more; return the cookie."""
    cookie = new_secret()
    kept.token_hash = digest_of(cookie)
    return cookie


def end_cookie(session: Session, cookie: str) -> None:
    """End the session of a cookie, if there is one."""
    session.execute(delete(UserSession).where(UserSession.token_hash == digest_of(cookie)))


def end_all(session: Session, user_id: int, but: int | None = None) -> None:
    """End all sessions of a user but one."""
    own = UserSession.user_id == user_id
    session.execute(delete(UserSession).where(own if but is None else own & (UserSession.id != but)))


def end(session: Session, session_id: int) -> None:
    session.execute(delete(UserSession).where(UserSession.id == session_id))


def forget_sessions(session: Session, now: datetime) -> None:
    """Drop what is over."""
    is_over = (UserSession.created_at <= now - ABSOLUTE_LIMIT) | (UserSession.seen_at <= now - IDLE_LIMIT)
    session.execute(delete(UserSession).where(is_over))

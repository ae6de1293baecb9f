"""Signing in: the password, then the second factor where there is one, and signing out.

These use cases open their transactions themselves: an attempt is counted and committed before it is
looked at, and no transaction waits for a password to be hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import structlog
from pydantic import Field
from sqlalchemy import update
from sqlalchemy.orm import Session

from admin.access import second_factor, sessions, trail
from admin.access.address import is_this_machine, throttled_as
from admin.access.credentials import seal
from admin.access.identity import Due, Identity
from admin.access.known_browser import is_marked, mark_for
from admin.access.passwords import Passwords
from admin.access.throttle import ACCOUNT, ADDRESS, PROOF, Pace, count_attempt, take_back
from admin.access.visitor import Visitor
from admin.desk import Desk
from admin.drafts import Draft, Line, Reading
from admin.errors import NotAllowed, NotSignedIn
from models.audit import Via
from models.auditing import Author
from models.base import LOCKED
from models.session import UserSession
from models.user import User, UserStatus, normal_email, user_by_email

log = structlog.get_logger()

_STREAKS = frozenset({5, 20, 100, 500, 2500, 12500})
"""How many failures in a row get an entry in the audit trail; each one has its line in the log."""

SecretText = Annotated[str, Field(max_length=1024, repr=False)]
"""A password or code as typed; too long a one is simply wrong."""


class SignInDraft(Draft):
    email: Line
    password: SecretText


class SecondFactorDraft(Draft):
    code: SecretText
    """Six digits of the authenticator app, or a recovery code."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened, or may do more than before; the browser keeps both secrets."""

    user_id: int
    cookie: str
    due: Due | None
    browser: str | None
    """None while something is due."""


class SigningIn:
    """Raises `NotSignedIn`, `TryLater`, `Invalid`, and what the database raises."""

    def __init__(self, desk: Desk, passwords: Passwords, secret_key: str) -> None:
        self._desk = desk
        self._passwords = passwords
        self._secret_key = secret_key

    def sign_in(self, raw: object, visitor: Visitor, now: datetime) -> Opened:
        """Open a session for whoever knows the password. Unknown accounts take the same time."""
        reading = Reading()
        draft = reading.read(SignInDraft, raw)
        reading.finish()
        with self._desk.noting() as session:
            user = user_by_email(session, draft.email)
            paces = self._paces(user, draft.email, visitor)
            counts = count_attempt(session, paces, now)
        kept = user.password_hash if user is not None and user.status is UserStatus.ACTIVE else None
        if not self._passwords.is_right(kept, draft.password) or user is None or kept is None:
            self._note_failure(user, counts[next(iter(paces))], visitor, now)
            raise NotSignedIn("the e-mail address or the password is wrong")
        better = self._passwords.hash(draft.password) if self._passwords.is_outdated(kept) else kept
        with self._desk.noting(Author(user.id, Via.PAGE)) as session:
            # Locked and read anew: it may have been disabled while the password was checked.
            user = session.get_one(User, user.id, with_for_update=LOCKED)
            if user.password_hash != kept or user.status is not UserStatus.ACTIVE:
                raise NotSignedIn("the e-mail address or the password is wrong")
            if better != kept:
                # Past the session's own trail: the password is the same.
                session.execute(update(User).where(User.id == user.id).values(password_hash=better))
            take_back(session, paces, now)
            return self._open(session, user, visitor, now)

    def give_second_factor(self, identity: Identity, raw: object, visitor: Visitor, now: datetime) -> Opened:
        """Finish signing in with a code of the app, or a recovery code."""
        reading = Reading()
        draft = reading.read(SecondFactorDraft, raw)
        reading.finish()
        if identity.due is not Due.SECOND_FACTOR or identity.session_id is None:
            raise NotSignedIn("no second factor is due; sign in first")
        with self._desk.noting() as session:
            user = session.get_one(User, identity.actor.user_id)
            # Who knows only the password must not keep the user himself waiting.
            known = visitor.browser if self._knows(visitor, user) else None
            paces = {self._secret("second factor", user.id, known): PROOF}
            count_attempt(session, paces, now)
        author = identity.actor.author
        with self._desk.noting(author) as session:
            user = session.get_one(User, user.id, with_for_update=LOCKED)
            kept = session.get(UserSession, identity.session_id, with_for_update=LOCKED)
            if second_factor.takes_code(user, draft.code, now):
                by = "app"
            elif second_factor.takes_recovery_code(session, user, draft.code, now):
                by = "recovery code"
            else:
                by = None
            if by is None or kept is None:
                log.warning("sign_in.second_factor_failed", user_id=user.id, address=visitor.address)
                raise NotSignedIn("the code is wrong or was used already")
            take_back(session, paces, now)
            kept.second_factor_at = now
            trail.note(session, author, user, "second_factor_given", at=now, value=by)
            return self._admitted(session, user, sessions.renew(kept), visitor, now)

    def sign_out(self, identity: Identity) -> None:
        """End the session; its cookie is worth nothing from now on. Raises `NotAllowed` for a token."""
        if identity.session_id is None:
            raise NotAllowed("a token does not sign out; it is revoked")
        with self._desk.noting(identity.actor.author) as session:
            sessions.end(session, identity.session_id)
        log.info("sign_in.signed_out", user_id=identity.actor.user_id)

    def _open(self, session: Session, user: User, visitor: Visitor, now: datetime) -> Opened:
        if visitor.cookie:
            sessions.end_cookie(session, visitor.cookie)
        cookie = sessions.open_session(session, user, visitor.user_agent, now)
        if user.totp_confirmed_at is not None:
            log.info("sign_in.second_factor_due", user_id=user.id, address=visitor.address)
            return Opened(user.id, cookie, Due.SECOND_FACTOR, None)
        return self._admitted(session, user, cookie, visitor, now)

    def _admitted(self, session: Session, user: User, cookie: str, visitor: Visitor, now: datetime) -> Opened:
        trail.note(
            session, Author(user.id, Via.PAGE), user, "signed_in", at=now, value=visitor.address or None
        )
        log.info("sign_in.succeeded", user_id=user.id, address=visitor.address)
        if user.password_changed_at is None:
            return Opened(user.id, cookie, Due.NEW_PASSWORD, None)
        return Opened(user.id, cookie, None, mark_for(self._secret_key, user))

    def _paces(self, user: User | None, email: str, visitor: Visitor) -> Mapping[str, Pace]:
        """What an attempt counts for: the browser, if the user signed in from it before.

        Else the account, which comes first, and the address.
        """
        if user is not None and self._knows(visitor, user):
            return {self._secret("browser", visitor.browser): PROOF}
        account = {self._secret("account", normal_email(email)): ACCOUNT}
        if is_this_machine(visitor.address):
            # A proxy that TRUSTED_PROXIES does not name looks like this: everybody would wait for everybody.
            return account
        return account | {self._secret("address", throttled_as(visitor.address)): ADDRESS}

    def _knows(self, visitor: Visitor, user: User) -> bool:
        return visitor.browser is not None and is_marked(self._secret_key, visitor.browser, user)

    def _note_failure(self, user: User | None, count: int, visitor: Visitor, now: datetime) -> None:
        log.warning(
            "sign_in.failed",
            user_id=None if user is None else user.id,
            address=visitor.address,
            in_a_row=count,
        )
        if user is not None and count in _STREAKS:
            author = Author(None, Via.PAGE)
            with self._desk.noting(author) as session:
                trail.note(session, author, user, "failed_sign_ins", at=now, value=str(count))

    def _secret(self, *words: object) -> str:
        return seal(self._secret_key, *words)

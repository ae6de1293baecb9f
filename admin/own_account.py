"""What users do for themselves: a new password, by the old one or by a link, and a second factor.

Like signing in, these open their transactions themselves, so that no transaction waits for a hash and
attempts are counted before they are looked at.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from admin.access import links, second_factor, sessions
from admin.access.credentials import seal
from admin.access.identity import Identity
from admin.access.known_browser import mark_for
from admin.access.passwords import Passwords, problem_with
from admin.access.throttle import PROOF, count_attempt, take_back
from admin.desk import Desk
from admin.drafts import Draft, Reading
from admin.errors import Conflict, FieldError, Invalid, NotAllowed, NotSignedIn, NotThere
from admin.signing_in import Opened, SecondFactorDraft, SecretText
from models.audit import Via
from models.auditing import Author
from models.base import LOCKED
from models.session import UserSession
from models.user import User

log = structlog.get_logger()


class PasswordChange(Draft):
    old_password: SecretText
    new_password: SecretText


class PasswordProof(Draft):
    """The password once more: a browser left alone must not be enough."""

    password: SecretText


class LinkUse(Draft):
    """A link's secret, which stands behind the # in its address, and the password to be set."""

    token: SecretText
    password: SecretText


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app has to know; shown once."""

    secret: str
    otpauth_uri: str


class OwnAccount:
    """Raises `Invalid`, `NotSignedIn`, `NotAllowed`, `TryLater`, and what the database raises."""

    def __init__(self, desk: Desk, passwords: Passwords, secret_key: str) -> None:
        self._desk = desk
        self._passwords = passwords
        self._secret_key = secret_key

    def change_password(self, identity: Identity, raw: object, now: datetime) -> Opened:
        """Set a new password, end all other sessions, and give this one a new cookie."""
        session_id = _session_of(identity)
        reading = Reading()
        draft = reading.read(PasswordChange, raw)
        reading.finish()
        user = self._prove(identity, "old_password", draft.old_password, now)
        if draft.new_password == draft.old_password:
            raise Invalid(FieldError("new_password", "must be another one than before"))
        made = self._made(user, "new_password", draft.new_password)
        with self._desk.noting(identity.actor.author) as session:
            user = session.get_one(User, user.id, with_for_update=LOCKED)
            kept = session.get(UserSession, session_id, with_for_update=LOCKED)
            if kept is None:
                raise NotSignedIn("the session is over; sign in again")
            user.password_hash, user.password_changed_at = made, now
            sessions.end_all(session, user.id, but=session_id)
            links.revoke_links(session, user.id)
            log.info("account.password_changed", user_id=user.id)
            return Opened(user.id, sessions.renew(kept), None, mark_for(self._secret_key, user))

    def use_link(self, raw: object, now: datetime) -> None:
        """Set the password of whoever holds a one-time link; ends all his sessions.

        Raises `NotThere` if the link is unknown, used or expired.
        """
        reading = Reading()
        draft = reading.read(LinkUse, raw)
        reading.finish()
        with self._desk.noting() as session:
            user = _holder(links.link_of(session, draft.token, now))
        made = self._made(user, "password", draft.password)
        with self._desk.noting(Author(user.id, Via.PAGE)) as session:
            # Looked up anew, and locked: it works once, however many use it at this moment.
            user = _holder(links.link_of(session, draft.token, now))
            user.password_hash, user.password_changed_at = made, now
            sessions.end_all(session, user.id)
            links.revoke_links(session, user.id)
        log.info("account.password_set_by_link", user_id=user.id)

    def enrol_second_factor(self, identity: Identity, raw: object, now: datetime) -> Enrolment:
        """Make a secret for an authenticator app; it counts from the first right code on."""
        user = self._prove_anew(identity, raw, now)
        with self._desk.noting(identity.actor.author) as session:
            user = session.get_one(User, user.id, with_for_update=LOCKED)
            if user.totp_confirmed_at is not None:
                raise Conflict("second_factor", "there is one already; remove it first")
            return Enrolment(*second_factor.enrol(user))

    def confirm_second_factor(self, identity: Identity, raw: object, now: datetime) -> list[str]:
        """Prove with a code that the app has the secret; return the recovery codes, shown once."""
        session_id = _session_of(identity)
        reading = Reading()
        draft = reading.read(SecondFactorDraft, raw)
        reading.finish()
        subjects = {self._subject(identity, "second factor"): PROOF}
        with self._desk.noting() as session:
            count_attempt(session, subjects, now)
        with self._desk.noting(identity.actor.author) as session:
            user = session.get_one(User, identity.actor.user_id, with_for_update=LOCKED)
            if user.totp_secret is None or user.totp_confirmed_at is not None:
                raise Conflict("second_factor", "none is being set up; begin anew")
            if not second_factor.takes_code(user, draft.code, now):
                raise Invalid(FieldError("code", "is not right; type the one that the app shows now"))
            take_back(session, subjects, now)
            kept = session.get_one(UserSession, session_id)
            kept.second_factor_at = now
            sessions.end_all(session, user.id, but=session_id)
            log.info("account.second_factor_on", user_id=user.id)
            return second_factor.confirm(session, user, now)

    def remove_second_factor(self, identity: Identity, raw: object, now: datetime) -> None:
        user = self._prove_anew(identity, raw, now)
        with self._desk.noting(identity.actor.author) as session:
            second_factor.remove(session, session.get_one(User, user.id, with_for_update=LOCKED))
        log.warning("account.second_factor_off", user_id=user.id)

    def _prove_anew(self, identity: Identity, raw: object, now: datetime) -> User:
        _session_of(identity)
        reading = Reading()
        draft = reading.read(PasswordProof, raw)
        reading.finish()
        return self._prove(identity, "password", draft.password, now)

    def _prove(self, identity: Identity, field: str, password: str, now: datetime) -> User:
        """The user himself, if the password is his; raise `Invalid` for `field` if it is not."""
        subjects = {self._subject(identity, "password"): PROOF}
        with self._desk.noting() as session:
            user = session.get_one(User, identity.actor.user_id)
            count_attempt(session, subjects, now)
        if not self._passwords.is_right(user.password_hash, password):
            log.warning("account.proof_failed", user_id=user.id)
            raise Invalid(FieldError(field, "is not your password"))
        with self._desk.noting() as session:
            take_back(session, subjects, now)
        return user

    def _made(self, user: User, field: str, password: str) -> str:
        """The hash of a new password, or `Invalid`."""
        problem = problem_with(password, email=user.email, name=user.name)
        if problem is not None:
            raise Invalid(FieldError(field, problem))
        return self._passwords.hash(password)

    def _subject(self, identity: Identity, proof: str) -> str:
        return seal(self._secret_key, proof, identity.actor.user_id)


def _session_of(identity: Identity) -> int:
    if identity.session_id is None:
        raise NotAllowed("only somebody who signed in with a password may do this, not a token")
    return identity.session_id


def _holder(found: tuple[object, User] | None) -> User:
    if found is None:
        raise NotThere("this link was used already, or is too old; ask for a new one")
    return found[1]

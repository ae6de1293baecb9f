"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for when it is lost."""

import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from admin.access.credentials import digest_of
from models.sign_in import RecoveryCode
from models.user import User

_STEP = 30
"""Seconds that a code is valid for."""
_TOLERANCE = 1
"""Steps that the clock of a phone may be ahead or behind."""
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_GROUP = 5
_ISSUER = "Hookswitch"


def enrol(user: User) -> tuple[str, str]:
    """Give the user a secret that does not count yet; return it as text and as an otpauth address."""
    user.totp_secret = pyotp.random_base32()
    user.totp_confirmed_at = None
    user.totp_last_step = None
    app = pyotp.TOTP(user.totp_secret, name=user.email, issuer=_ISSUER, interval=_STEP)
    return user.totp_secret, app.provisioning_uri()


def confirm(session: Session, user: User, now: datetime) -> list[str]:
    """From now on the secret counts; return new recovery codes, which are shown this once."""
    user.totp_confirmed_at = now
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_new_recovery_code() for _ in range(_RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=digest_of(_normal(code))) for code in codes)
    return codes


def remove(session: Session, user: User) -> None:
    """From now on the password is enough."""
    user.totp_secret = user.totp_confirmed_at = user.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def takes_code(user: User, code: str, now: datetime) -> bool:
    """Whether it is a code of the user's app that was not used yet; from now on it is used.

    The user's row must be locked, or a code could be used twice at the same moment.
    """
    if user.totp_secret is None:
        return False
    typed = "".join(code.split())
    app = pyotp.TOTP(user.totp_secret, interval=_STEP)
    current = int(now.timestamp()) // _STEP
    for step in range(current - _TOLERANCE, current + _TOLERANCE + 1):
        is_right = hmac.compare_digest(
            typed.encode("utf-8", "surrogatepass"), app.generate_otp(step).encode()
        )
        if is_right and (user.totp_last_step is None or step > user.totp_last_step):
            user.totp_last_step = step
            return True
    return False


def takes_recovery_code(session: Session, user: User, code: str, now: datetime) -> bool:
    """Whether it is one of the user's recovery codes that was not used yet; from now on it is used."""
    kept = session.scalar(
        select(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == digest_of(_normal(code)))
        .with_for_update(key_share=True)
    )
    if kept is None or kept.used_at is not None:
        return False
    kept.used_at = now
    return True


def _new_recovery_code() -> str:
    digits = secrets.token_hex(_RECOVERY_BYTES)
    return "-".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _normal(code: str) -> str:
    return "".join(code.replace("-", " ").split()).lower()

"""Do once what is sent twice: the answer to a POST with an Idempotency-Key is kept for a day."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from flask import Request, Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.errors import Conflict, FieldError, Invalid
from models.idempotency import KeptAnswer, kept_answer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_UNDER_WAY = 0


class KeyInUse(Exception):
    """Somebody else wrote under the same key while we wanted to."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose request this is, and which: another request under the same key is a mistake."""

    user_id: int
    key: str
    fingerprint: str


def key_of(request: Request, user_id: int) -> Key | None:
    """The request's key; None: it has none. Raise `Invalid` where it cannot be one."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Invalid(FieldError(HEADER, "must be 1 to 255 visible ASCII characters"))
    return Key(user_id, key, _fingerprint(request))


def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256()
    digest.update(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype == "multipart/form-data":
        # Clients draw a new boundary for each try; what stands between them is the same.
        for name, value in sorted(request.form.items(multi=True)):
            digest.update(f"{name}={value}\n".encode("utf-8", "surrogatepass"))
        for name, file in sorted(request.files.items(multi=True)):
            digest.update(f"{name}:{hashlib.sha256(file.read()).hexdigest()}\n".encode())
            file.seek(0)
    else:
        digest.update(request.get_data())
    return digest.hexdigest()


def replay(session: Session, key: Key) -> Response | None:
    """The answer that was given under this key; None: there is none yet.

    Raise `Invalid` if the key was used for another request, `Conflict` if its answer was not kept.
    """
    kept = kept_answer(session, key.user_id, key.key)
    if kept is None:
        return None
    if kept.fingerprint != key.fingerprint:
        raise Invalid(FieldError(HEADER, "was used for another request; take a new one"))
    if not kept.body:
        raise Conflict(HEADER, "this request was done; its answer held a secret, which is shown only once")
    answer = Response(kept.body, kept.status, mimetype="application/json")
    if kept.location is not None:
        answer.headers["Location"] = kept.location
    answer.headers[REPLAYED] = "true"
    return answer


def claim(session: Session, key: Key, now: datetime) -> KeptAnswer:
    """Hold the key for the rest of the transaction; raise `KeyInUse` if somebody else took it.

    Who comes second waits here for the first one's end. `keep` puts the answer in.
    """
    kept = KeptAnswer(
        user_id=key.user_id,
        key=key.key,
        fingerprint=key.fingerprint,
        status=_UNDER_WAY,
        body=b"",
        created_at=now,
    )
    session.add(kept)
    try:
        session.flush()
    except IntegrityError:
        raise KeyInUse from None
    return kept


def keep(kept: KeptAnswer, answer: Response, *, secret: bool) -> None:
    """Keep an answer; of one that shows a secret only that it was given."""
    kept.status, kept.location = answer.status_code, answer.headers.get("Location")
    kept.body = b"" if secret else answer.get_data()

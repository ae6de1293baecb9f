"""What a page says when it cannot do what it was asked; translated once.

For htmx it is a line of text, which the page shows as a notice.
"""

import secrets
from http import HTTPStatus
from urllib.parse import quote

import structlog
from flask import Response, g, redirect, request
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from admin.access.identity import Due, Identity
from admin.errors import (
    CarrierAway,
    CarrierRefuses,
    Conflict,
    Forged,
    Invalid,
    NotAllowed,
    NotSignedIn,
    NotThere,
    Refusal,
    Stale,
    TryLater,
)
from admin.room import NoRoom
from admin.ui.frame import Frame, is_htmx

log = structlog.get_logger()

_STATUS: dict[type[Refusal], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Forged: HTTPStatus.FORBIDDEN,
    NotThere: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    CarrierRefuses: HTTPStatus.CONFLICT,
    CarrierAway: HTTPStatus.SERVICE_UNAVAILABLE,
    Stale: HTTPStatus.CONFLICT,
    TryLater: HTTPStatus.TOO_MANY_REQUESTS,
}
_TITLES = {
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.CONFLICT: "Something is in the way",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That is not right",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large",
    HTTPStatus.TOO_MANY_REQUESTS: "Wait a moment",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a moment",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed on our side",
}
_NEXT_STEPS = {Due.SECOND_FACTOR: "/login/second-factor", Due.NEW_PASSWORD: "/account/first-password"}


def fault_page(frame: Frame, error: Exception) -> Response:
    """The answer to whatever a view has raised."""
    match error:
        case NotSignedIn():
            return _to_sign_in(frame)
        case Forged():
            return _fault(
                frame,
                HTTPStatus.FORBIDDEN,
                "This page was open too long, or another site sent you here. Load it again and repeat it.",
            )
        case Refusal():
            return _fault(frame, _STATUS.get(type(error), HTTPStatus.BAD_REQUEST), _sentence(str(error)))
        case RequestEntityTooLarge():
            return _fault(
                frame,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "What was sent is larger than 8 MB; nothing was done.",
            )
        case HTTPException():
            status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
            return _fault(frame, status, error.description or status.phrase)
        case StaleDataError():
            return _fault(
                frame, HTTPStatus.CONFLICT, "Somebody else changed it just now; load the page again."
            )
        case OperationalError() | PoolExhausted():
            log.warning("page.database_away", error=type(error).__name__, path=request.path)
            return _fault(
                frame,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The database does not answer in time. Calls are answered all the same.",
            )
        case NoRoom():
            return _fault(
                frame,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Many pages are asked for at this moment, and calls go first.",
            )
        case _:
            reference = secrets.token_hex(8)
            log.critical("page.failed", reference=reference, path=request.path, exc_info=error)
            return _fault(
                frame,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"Tell whoever runs this server the reference {reference}; the log has the details under it.",
            )


def _to_sign_in(frame: Frame) -> Response:
    """To whatever is due, and from there back to the page that was asked for."""
    identity: Identity | None = g.get("identity")
    step = "/login" if identity is None or identity.due is None else _NEXT_STEPS[identity.due]
    if is_htmx():
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": step})
    if request.method not in {"GET", "HEAD"}:
        detail = "Your session is over, so nothing was done. Sign in and do it again."
        return frame.bare("fault_bare.html", 401, title="Sign in again", detail=detail, way_on=step)
    wanted = request.full_path.rstrip("?")
    target = step if wanted == "/" else f"{step}?next={quote(wanted, safe='/')}"
    return redirect(target, 303)  # type: ignore[return-value]  # Flask's own response class


def _fault(frame: Frame, status: HTTPStatus, detail: str) -> Response:
    if is_htmx():
        return Response(detail, status, mimetype="text/plain")
    said = {"title": _TITLES.get(status, status.phrase), "detail": detail, "code": status.value}
    if _is_signed_in() and status is not HTTPStatus.SERVICE_UNAVAILABLE:
        try:
            with frame.reading() as asked:
                return frame.page(asked, "fault.html", status, **said)
        except (SQLAlchemyError, NoRoom, Refusal):
            log.warning("page.fault_without_frame", path=request.path)
    return frame.bare("fault_bare.html", status, **said)


def _is_signed_in() -> bool:
    identity: Identity | None = g.get("identity")
    return identity is not None and identity.due is None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."

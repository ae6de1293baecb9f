"""What the API says when it cannot do what it was asked: RFC 9457 (problem details), translated once."""

import json
import secrets
from collections.abc import Iterable
from http import HTTPStatus

import structlog
from flask import Flask, Response, request
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from admin.errors import (
    CarrierAway,
    CarrierRefuses,
    Conflict,
    FieldError,
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

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    field: str = Field(description="The name of the field, parameter or header; empty: the whole request.")
    message: str = Field(description="What is wrong with it, and what to do.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The meaning of the status.")
    status: int
    detail: str = Field(description="What went wrong this time, for a person to read.")
    errors: list[FieldProblem] = Field(description="Everything that is wrong with what was sent; or empty.")
    revision: int | None = Field(None, description="With 409 for a stale revision: the one in force.")
    reference: str | None = Field(None, description="With 500: under which name the log has it.")


class Malformed(Refusal):
    """The body cannot be read at all."""


class TooLarge(Refusal):
    """The body is larger than is taken here."""


class WrongMediaType(Refusal):
    """The body is of another kind than is taken here."""


def install(app: Flask) -> None:
    """Answer every error below /api as a problem, elsewhere in a line of text."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response | HTTPException:
    if not request.path.startswith("/api/"):
        return error if isinstance(error, HTTPException) else _failed_elsewhere(error)
    return response_to(error)


def response_to(error: Exception) -> Response:
    match error:
        case Refusal():
            return _refused(error)
        case HTTPException():
            return _flask_refused(error)
        case StaleDataError():
            return problem(HTTPStatus.CONFLICT, "somebody else changed it just now; read it again")
        case OperationalError() | PoolExhausted():
            log.warning("api.database_away", error=type(error).__name__, endpoint=request.endpoint)
            return _later(
                HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer in time; try again", 1
            )
        case NoRoom():
            return _later(HTTPStatus.SERVICE_UNAVAILABLE, str(error), 1)
        case _:
            return _failed(error)


_STATUS: dict[type[Refusal], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    Forged: HTTPStatus.FORBIDDEN,
    NotThere: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    CarrierRefuses: HTTPStatus.CONFLICT,
    CarrierAway: HTTPStatus.SERVICE_UNAVAILABLE,
    Stale: HTTPStatus.CONFLICT,
    Malformed: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TryLater: HTTPStatus.TOO_MANY_REQUESTS,
}


_CARRIER_BACK_IN = 60
"""Seconds, perhaps."""


def _refused(error: Refusal) -> Response:
    status = _STATUS[type(error)]
    match error:
        case Invalid():
            return problem(status, "what was sent is not right; see errors", error.errors)
        case Conflict():
            return problem(status, str(error), [FieldError(error.field, str(error))])
        case Stale():
            return problem(status, str(error), revision=error.revision)
        case NotSignedIn():
            answer = problem(status, str(error))
            answer.headers["WWW-Authenticate"] = 'Bearer realm="hookswitch"'
            return answer
        case TryLater():
            return _later(status, str(error), error.seconds)
        case CarrierAway():
            return _later(status, str(error), _CARRIER_BACK_IN)
        case _:
            return problem(status, str(error) or status.phrase)


def _later(status: HTTPStatus, detail: str, seconds: int) -> Response:
    answer = problem(status, detail)
    answer.headers["Retry-After"] = str(seconds)
    return answer


_DETAILS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/docs shows what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this method does nothing here; the header Allow names those that do",
}


def _flask_refused(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    answer = problem(status, _DETAILS.get(status) or error.description or status.phrase)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def _failed(error: Exception) -> Response:
    """The last resort: no details outside, all of them in the log."""
    reference = secrets.token_hex(8)
    log.critical("api.failed", reference=reference, endpoint=request.endpoint, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "something failed on our side; tell whoever runs this server the reference",
        reference=reference,
    )


def _failed_elsewhere(error: Exception) -> Response:
    log.critical("web.failed", endpoint=request.endpoint, exc_info=error)
    return Response("something failed on our side\n", 500, mimetype="text/plain")


def problem(
    status: HTTPStatus,
    detail: str,
    errors: Iterable[FieldError] = (),
    *,
    revision: int | None = None,
    reference: str | None = None,
) -> Response:
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "errors": [{"field": error.field, "message": error.message} for error in errors],
    }
    body |= {k: v for k, v in (("revision", revision), ("reference", reference)) if v is not None}
    # In ASCII: what was sent, and is quoted here, may hold what UTF-8 cannot.
    return Response(json.dumps(body), status, mimetype=MEDIA_TYPE)

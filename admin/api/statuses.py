"""What each status that can occur means, as the API's document says it."""

from http import HTTPStatus
from typing import Any

from admin.api.problems import MEDIA_TYPE

Json = dict[str, Any]

MEANINGS = {
    HTTPStatus.BAD_REQUEST: ("The body cannot be read.", "the body is no JSON in UTF-8"),
    HTTPStatus.UNAUTHORIZED: ("No credentials, or none that hold.", "sign in, or send a valid token"),
    HTTPStatus.FORBIDDEN: ("You see it and may not do this.", "only an admin may do this"),
    HTTPStatus.NOT_FOUND: ("It is not there, or not in your part of the tree.", "there is no such campaign"),
    HTTPStatus.CONFLICT: (
        "It stands against what is there: a number is taken, a revision stale, no carrier to be asked.",
        "it was changed meanwhile; read it again, its revision is 4",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("The body is too large.", "the body is larger than 1 MB"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "The body is of the wrong kind.",
        "send JSON, with the header Content-Type: application/json",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "What was sent is not right; `errors` has all that is wrong.",
        "what was sent is not right; see errors",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("Too many requests.", "too many attempts; try again in 17 seconds"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Something failed here.",
        "something failed on our side; tell whoever runs this server the reference",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Not now.", "the database does not answer in time; try again"),
}
WHEN_READING = tuple(
    status
    for status in MEANINGS
    if status
    not in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    }
)


def problem_response(status: HTTPStatus, schema: Json) -> Json:
    """The response object of a status that is answered by a problem."""
    meaning, detail = MEANINGS[status]
    example: Json = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "errors": [],
    }
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        example["errors"] = [{"field": "name", "message": "is mandatory"}]
    if status is HTTPStatus.CONFLICT:
        example["revision"] = 4
    described: Json = {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        described["headers"] = {"Retry-After": said("Seconds until another try is worth it.")}
    return described


def said(description: str) -> Json:
    """A header, which always is text."""
    return {"description": description, "schema": {"type": "string"}}

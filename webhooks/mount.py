"""Serve carrier webhooks by WSGI in front of Flask, without its dispatch.

A handler is mounted at one exact path; everything else goes to the application behind. Framework
dispatch costs a third of a whole call (docs/decisions); the handlers are plain functions.
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from webhooks.replies import Reply
from webhooks.requests import LARGEST_BODY, CarrierRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Handler = Callable[[CarrierRequest], Reply]

_STATUS_LINES = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Mount:
    """A WSGI application: `handlers` by exact path, `below` by what comes before the last part of it.

    `application` has the rest.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        handlers: Mapping[str, Handler],
        below: Mapping[str, Handler] | None = None,
    ) -> None:
        self._application = application
        self._handlers = dict(handlers)
        self._below = dict(below or {})

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        handler = self._handlers.get(path) or self._below.get(path[: path.rfind("/") + 1])
        if handler is None:
            return self._application(environ, start_response)
        reply = handler(request_of(environ))
        body = reply.body
        headers = [*reply.headers, ("Content-Length", str(len(body)))]
        start_response(_STATUS_LINES[reply.status], headers)
        return [body]


def request_of(environ: dict[str, Any]) -> CarrierRequest:
    return CarrierRequest(
        method=environ["REQUEST_METHOD"],
        target=_target(environ),
        content_type=environ.get("CONTENT_TYPE", ""),
        body=_body(environ),
        headers=environ,
    )


def _target(environ: dict[str, Any]) -> str:
    """Path and query as sent; servers keep them in RAW_URI (gunicorn) or REQUEST_URI (others)."""
    raw: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw is not None and raw.startswith("/"):
        return raw
    query: str = environ.get("QUERY_STRING", "")
    path = quote(environ["PATH_INFO"].encode("latin-1"))
    return f"{path}?{query}" if query else path


def _body(environ: dict[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or LARGEST_BODY + 1)
    except ValueError:
        length = 0
    body: bytes = environ["wsgi.input"].read(max(0, min(length, LARGEST_BODY + 1)))
    return body

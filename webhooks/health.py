"""Pages for machines: is the process alive, would a call be answered, what was counted."""

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, abort, request


def health(ready: Callable[[], dict[str, bool]]) -> Blueprint:
    """`/healthz` and `/readyz`; `ready` tells which sources of facts answer right now.

    A call is answered rightly while any of them does.
    """
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("alive\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @pages.get("/readyz")
    def readyz() -> Response:
        sources = ready()
        lines = "".join(
            f"{name}: {'ok' if answers else 'unreachable'}\n" for name, answers in sources.items()
        )
        status = 200 if any(sources.values()) else 503
        return Response(lines, status, mimetype="text/plain", headers={"Cache-Control": "no-store"})

    return pages


def metrics(token: str | None, collect: Callable[[], tuple[bytes, str]]) -> Blueprint:
    """`/metrics` in Prometheus' text format, for whoever has the token; without one it is not there."""
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def show() -> Response:
        if token is None:
            abort(404)
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            return Response(status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
        body, content_type = collect()
        return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})

    return pages

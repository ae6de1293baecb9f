"""Pages for machines: is the process alive, would a call be answered, what was counted."""

from collections.abc import Callable

from flask import Blueprint, Response


def health(ready: Callable[[], dict[str, bool]], leaving: Callable[[], bool] = lambda: False) -> Blueprint:
    """`/healthz` and `/readyz`; `ready` tells which sources of facts answer right now.

    A call is answered rightly while any of them does. A server that is about to stop (`leaving`)
    answers too, but is not ready for more.
    """
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("alive\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @pages.get("/readyz")
    def readyz() -> Response:
        if leaving():
            return Response("stopping\n", 503, mimetype="text/plain", headers={"Cache-Control": "no-store"})
        sources = ready()
        lines = "".join(
            f"{name}: {'ok' if answers else 'unreachable'}\n" for name, answers in sources.items()
        )
        status = 200 if any(sources.values()) else 503
        return Response(lines, status, mimetype="text/plain", headers={"Cache-Control": "no-store"})

    return pages


def metrics(collect: Callable[[], tuple[bytes, str]]) -> Blueprint:
    """`/metrics` in Prometheus' text format; to be shown at an address that is not public."""
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def show() -> Response:
        body, content_type = collect()
        return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})

    return pages

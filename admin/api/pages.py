"""`/api/v1/openapi.json` and the page that shows it, `/api/docs`: everything from this server itself."""

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, abort, request

from admin.access.gate import Admitted, admits
from admin.api.operations import ROOT

_ASSETS = {
    "swagger-ui.css": ("css", "text/css"),
    "swagger-ui-bundle.js": ("js", "text/javascript"),
}
_A_DAY = 24 * 3600
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hookswitch API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<main id="operations"><noscript>This page needs JavaScript; the document itself is at
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript></main>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


def pages(describe: Callable[[], dict[str, Any]]) -> Blueprint:
    """`describe` makes the document, once, when it is first asked for."""
    shown = Blueprint("api_pages", __name__)

    @cache
    def document() -> bytes:
        return json.dumps(describe(), ensure_ascii=False).encode()

    @shown.get(f"{ROOT}/openapi.json")
    @admits(Admitted.ANYBODY)
    def openapi() -> Response:
        return _unchanging(document(), "application/json", seconds=0)

    @shown.get("/api/docs")
    @admits(Admitted.ANYBODY)
    def docs() -> Response:
        return _unchanging(_PAGE.encode(), "text/html", seconds=0)

    @shown.get("/api/docs/<name>")
    @admits(Admitted.ANYBODY)
    def asset(name: str) -> Response:
        if name == "start.js":
            return _unchanging(_START.encode(), "text/javascript", seconds=0)
        if name not in _ASSETS:
            abort(404)
        folder, media_type = _ASSETS[name]
        found = files("flask_openapi3_swagger") / "templates" / "swagger" / folder / name
        return _unchanging(found.read_bytes(), media_type, seconds=_A_DAY)

    return shown


def _unchanging(data: bytes, media_type: str, *, seconds: int) -> Response:
    """Public, and asked for again only to hear that it is still so."""
    answer = Response(data, mimetype=media_type)
    answer.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer

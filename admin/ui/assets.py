"""Style sheets, scripts and icons of the page: a list of files, each served under its digest for ever.

What is not ours comes out of two packages that `make setup` unpacks into `.assets` and that nobody
imports (docs/decisions). Nothing else of them can be reached.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, request

from admin.access.gate import Admitted, admits

_OURS = Path(__file__).parent / "static"
_CSS, _JS, _SVG = "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"
_FOR_EVER = "public, max-age=31536000, immutable"
_DIGEST_LENGTH = 16


class AssetsMissing(Exception):
    """The page's files are not installed; the message says how to install them."""


@dataclass(frozen=True)
class Asset:
    """One file, as it is and compressed."""

    media_type: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()[:_DIGEST_LENGTH]

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)


def assets_in(folder: Path) -> dict[str, Asset]:
    """Read the page's files by name; `folder` is where `make setup` put those that are not ours.

    Raises `AssetsMissing`.
    """
    listed = {
        "tabler.css": (folder / "sqladmin/statics/css/tabler.min.css", _CSS),
        "htmx.js": (folder / "django_htmx/static/django_htmx/htmx-2.min.js", _JS),
        "hookswitch.css": (_OURS / "hookswitch.css", _CSS),
        "hookswitch.js": (_OURS / "hookswitch.js", _JS),
        "download.js": (_OURS / "download.js", _JS),
        "live.js": (_OURS / "live.js", _JS),
        "sound.js": (_OURS / "sound.js", _JS),
        "theme.js": (_OURS / "theme.js", _JS),
        "icons.svg": (_OURS / "icons.svg", _SVG),
        "favicon.svg": (_OURS / "favicon.svg", _SVG),
    }
    try:
        return {name: Asset(media_type, path.read_bytes()) for name, (path, media_type) in listed.items()}
    except OSError as error:
        raise AssetsMissing(f"{error.filename} is missing; run `make setup`") from error


def asset_pages(assets: Mapping[str, Asset]) -> Blueprint:
    """`GET /assets/<digest>/<name>`, and `asset(name)` for templates: its address."""
    pages = Blueprint("assets", __name__)

    @pages.get("/assets/<digest>/<name>")
    @admits(Admitted.ANYBODY)
    def serve(digest: str, name: str) -> Response:
        asset = assets.get(name)
        if asset is None or asset.digest != digest:
            abort(404)
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding", "ETag": f'"{digest}"'}
        if request.accept_encodings["gzip"]:
            return Response(
                asset.compressed,
                content_type=asset.media_type,
                headers=headers | {"Content-Encoding": "gzip"},
            )
        return Response(asset.content, content_type=asset.media_type, headers=headers)

    @pages.app_template_global("asset")
    def address(name: str) -> str:
        return f"/assets/{assets[name].digest}/{name}"

    return pages

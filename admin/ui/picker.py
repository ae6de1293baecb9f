"""The group picker of the breadcrumb: a tree with a search, as a piece for htmx and as a page without it."""

from typing import Any

from flask import Blueprint, Response, request

from admin.ui import scope
from admin.ui.frame import Frame, local_path

_SCOPED = ("/campaigns", "/tracking-numbers")


def picker(frame: Frame) -> Blueprint:
    views = Blueprint("picker", __name__)

    @views.get("/choose-group")
    def choose() -> Response:
        back = local_path(request.args.get("back", ""))
        back = back if back in _SCOPED else _SCOPED[0]
        words = request.args.get("q", "").strip()
        with frame.reading() as asked:
            found = scope.tree(asked.session, asked.actor, words)
            chosen = scope.chosen(asked.session, asked.actor)
            said: dict[str, Any] = {"tree": found, "words": words, "back": back, "chosen": chosen}
            if request.headers.get("HX-Target") == "group-tree":
                return frame.fragment(asked, "frame/tree.html", **said)
            return frame.either(asked, "frame/choose.html", **said)

    return views

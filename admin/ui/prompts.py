"""The list of prompts: filters, saved filters, download."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from admin.lists import prompts as prompt_list
from admin.ui import choosing, grids, prompt_wording
from admin.ui.downloads import Column, columns, download
from admin.ui.frame import Asked, Frame
from admin.views import PromptView

LISTED: grids.Listed[PromptView] = grids.Listed(
    name="prompts", path="/prompts", filters=prompt_list.PromptFilters, load=prompt_list.page
)
DOWNLOADED: list[Column[PromptView]] = columns(*PromptView.model_fields)


def prompts(frame: Frame) -> Blueprint:
    views = Blueprint("prompts", __name__)

    @views.get("/prompts")
    def grid() -> Response:
        return grids.shown(frame, LISTED, "prompts/grid.html", "prompts/grid_part.html", _choices)

    @views.post("/prompts/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post("/prompts/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get("/prompts/download.<form>")
    def download_all(form: str) -> Response:
        with frame.reading() as asked:
            rows = LISTED.all_rows(frame, asked)
        return download(frame, asked, f"prompts.{form}", rows, DOWNLOADED)

    views.add_app_template_filter(prompt_wording.language, "language")
    views.add_app_template_filter(prompt_wording.heard_of, "heard_of")
    return views


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {
        "groups": choosing.group_choices(asked, chosen=request.args.get("group_id", "")),
        "languages": list(prompt_wording.LANGUAGES.items()),
    }

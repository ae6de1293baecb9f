"""The block list: whom groups do not want to hear from, and what each block has kept out."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import blocks as use_cases
from admin.errors import Conflict, Invalid
from admin.lists import blocks as block_list
from admin.ui import choosing, grids
from admin.ui.downloads import Column, columns, download
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to, local_path
from admin.views import BlockView

_PATH = "/settings/blocks"
LISTED: grids.Listed[BlockView] = grids.Listed(
    name="blocks", path=_PATH, filters=block_list.BlockFilters, load=block_list.page
)
DOWNLOADED: list[Column[BlockView]] = columns(*BlockView.model_fields)
_SHOWN = ("callers", "group_id", "reason", "expires_at")


def blocks(frame: Frame) -> Blueprint:
    views = Blueprint("blocks", __name__)

    def window(asked: Asked, form: Form) -> Response:
        asked.actor.require_admin()
        said: dict[str, Any] = {
            "form": form,
            "back": local_path(form["back"] or _PATH),
            "groups": choosing.group_choices(asked, chosen=form["group_id"]),
        }
        return frame.either(asked, "settings/block_new.html", 200 if form.is_right else 422, **said)

    @views.get(_PATH)
    def grid() -> Response:
        return grids.shown(frame, LISTED, "settings/blocks.html", "settings/blocks_part.html", _choices)

    @views.post(f"{_PATH}/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post(f"{_PATH}/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get(f"{_PATH}/download.<form>")
    def download_all(form: str) -> Response:
        with frame.reading() as asked:
            rows = LISTED.all_rows(frame, asked)
        return download(frame, asked, f"blocked-callers.{form}", rows, DOWNLOADED)

    @views.get(f"{_PATH}/new")
    def ask() -> Response:
        """The window; `callers` and `group_id` in the address fill it, `back` is where it leads."""
        form = form_of(request.args)
        with frame.reading() as asked:
            own = {"group_id": str(asked.actor.group_id)}
            return window(asked, Form(own | dict(form.typed)))

    @views.post(f"{_PATH}/new")
    def take() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw: dict[str, object] = {name: form[name].strip() for name in ("callers", "reason")}
                raw["group_id"] = form.whole("group_id")
                raw["expires_at"] = form.moment("expires_at", asked.zone)
                use_cases.add(asked.session, asked.actor, raw, asked.now)
                form.finish()
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, _SHOWN)
            with frame.reading() as asked:
                return window(asked, form)
        flash("Blocked. Their next call is already rejected.")
        return go_to(local_path(form["back"] or _PATH))

    @views.post(f"{_PATH}/<id:block_id>/lift")
    def lift(block_id: int) -> Response:
        try:
            with frame.writing() as asked:
                use_cases.lift(asked.session, asked.actor, block_id, asked.now)
        except Conflict as refusal:
            flash(f"Nothing was done: {refusal}.")
        else:
            flash("Lifted. These callers come through again.")
        return go_to(local_path(request.form.get("back", _PATH)))

    return views


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {"groups": choosing.group_choices(asked, chosen=request.args.get("group_id", ""))}

"""The audit log: who changed what, when, by which door, from which value to which."""

from collections.abc import Mapping
from typing import Any, get_args

from flask import Blueprint, Response, request

from admin.lists import audit as audit_list
from admin.ui import audit_wording, choosing, grids, ranges
from admin.ui.downloads import Column, columns, download
from admin.ui.frame import Asked, Frame
from admin.views import AuditView

_PATH = "/settings/audit"
LISTED: grids.Listed[AuditView] = grids.Listed(
    name="audit", path=_PATH, filters=audit_list.AuditFilters, load=audit_list.page, days=("at",)
)
DOWNLOADED: list[Column[AuditView]] = columns(*AuditView.model_fields)


def audit(frame: Frame) -> Blueprint:
    views = Blueprint("audit", __name__)

    @views.get(_PATH)
    def grid() -> Response:
        return grids.shown(
            frame, LISTED, "settings/audit.html", "settings/audit_part.html", _choices, of_grid=_worded
        )

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
        return download(frame, asked, f"audit-log.{form}", rows, DOWNLOADED)

    return views


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {
        "users": choosing.user_choices(asked, chosen=request.args.get("user_id", "")),
        "entities": [(name, audit_wording.entity(name)) for name in get_args(audit_list.Entity)],
        "spans": list(ranges.SPANS.items()),
    }


def _worded(asked: Asked, grid: grids.Grid[AuditView]) -> Mapping[str, Any]:
    entries = audit_wording.worded(asked.session, asked.actor, grid.page.items)
    return {"entries": entries, "subjects": audit_wording.subjects(asked.session, entries)}

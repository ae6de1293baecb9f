"""The grid of tracking numbers: filters, saved filters, download."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from admin.lists import numbers as number_list
from admin.ui import choosing, grids
from admin.ui.downloads import Column, columns, download
from admin.ui.frame import Asked, Frame
from admin.views import NumberView

LISTED: grids.Listed[NumberView] = grids.Listed(
    name="tracking-numbers",
    path="/tracking-numbers",
    filters=number_list.NumberFilters,
    load=number_list.page,
    days=("created",),
    is_scoped=True,
)
DOWNLOADED: list[Column[NumberView]] = columns(
    "id",
    "number",
    "national",
    "name",
    "campaign_id",
    "campaign_name",
    "campaign_external_id",
    "group_id",
    "group_name",
    "active",
    "destination",
    "whisper",
    "ring_timeout",
    "record_calls",
    "caller_id",
    "status",
    "released_at",
    "carrier",
    "carrier_sid",
    "created_at",
    "updated_at",
)


def numbers(frame: Frame) -> Blueprint:
    views = Blueprint("numbers", __name__)

    @views.get("/tracking-numbers")
    def grid() -> Response:
        return grids.shown(frame, LISTED, "numbers/grid.html", "numbers/grid_part.html", _choices)

    @views.post("/tracking-numbers/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post("/tracking-numbers/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get("/tracking-numbers/download.<form>")
    def download_all(form: str) -> Response:
        with frame.reading() as asked:
            rows = LISTED.all_rows(frame, asked)
        return download(frame, asked, f"tracking-numbers.{form}", rows, DOWNLOADED)

    return views


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {"campaigns": choosing.campaign_choices(asked, chosen=request.args.get("campaign_id", ""))}

"""The campaigns grid: filters, saved filters, download, and acts upon many campaigns at once."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import campaign_bulk
from admin.access.actor import sees_group
from admin.errors import Invalid
from admin.lists import campaigns as campaign_list
from admin.ui import choosing, grids
from admin.ui.downloads import Column, columns, download
from admin.ui.forms import Form
from admin.ui.frame import Asked, Frame, go_to, local_path
from admin.views import CampaignView
from routing.policy import State

LISTED: grids.Listed[CampaignView] = grids.Listed(
    name="campaigns",
    path="/campaigns",
    filters=campaign_list.CampaignFilters,
    load=campaign_list.page,
    days=("starts", "ends"),
    is_scoped=True,
)
DOWNLOADED: list[Column[CampaignView]] = columns(
    "id",
    "name",
    "external_id",
    "active",
    "state",
    "group_id",
    "group_name",
    "owner_id",
    "owner_name",
    "starts_at",
    "ends_at",
    "end_of_campaign",
    "referral_ends_at",
    "business_name",
    "business_number",
    "destination",
    "numbers",
    "calls_30_days",
    "created_at",
    "updated_at",
)


def campaigns(frame: Frame) -> Blueprint:
    views = Blueprint("campaigns", __name__)

    @views.get("/campaigns")
    def grid() -> Response:
        return grids.shown(frame, LISTED, "campaigns/grid.html", "campaigns/grid_part.html", _choices)

    @views.post("/campaigns/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post("/campaigns/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get("/campaigns/download.<form>")
    def download_all(form: str) -> Response:
        with frame.reading() as asked:
            rows = LISTED.all_rows(frame, asked)
        return download(frame, asked, f"campaigns.{form}", rows, DOWNLOADED)

    @views.post("/campaigns/bulk")
    def act_on_many() -> Response:
        """First the question, where the act cannot be taken back; then the act, with a report."""
        action, ids = request.form.get("action", ""), request.form.getlist("ids", type=int)
        back = local_path(request.form.get("back", LISTED.path))
        if not ids:
            flash("Choose campaigns first, by the boxes at the left of the list.")
            return go_to(back)
        if action in {"end", "change_owner"} and "confirmed" not in request.form:
            return _question(frame, action, ids, back)
        try:
            with frame.writing() as asked:
                raw: dict[str, object] = {"action": action, "ids": ids}
                if action == "change_owner":
                    raw["owner_id"] = request.form.get("owner_id", type=int)
                report = campaign_bulk.act(asked.session, asked.actor, raw, asked.now)
        except Invalid as refusal:
            return _question(frame, action, ids, back, refusal)
        if not report.refused:
            flash(f"{_many(report.done)} {_DONE[action]}.")
            return go_to(back)
        with frame.reading() as asked:
            named = {view.id: view for view in _named(asked, [each.id for each in report.outcomes])}
            said: dict[str, Any] = {"report": report, "named": named, "back": back, "did": _DONE[action]}
            return frame.page(asked, "campaigns/bulk_report.html", **said)

    return views


_DONE = {"pause": "paused", "resume": "resumed", "end": "ended", "change_owner": "given to the new owner"}


def _choices(asked: Asked) -> Mapping[str, Any]:
    owners = choosing.user_choices(asked, chosen=request.args.get("owner_id", ""))
    return {"owners": owners, "states": list(State)}


def _named(asked: Asked, ids: list[int]) -> list[CampaignView]:
    """Those of the campaigns that the actor may see."""
    found = campaign_list.views(asked.session, ids[: campaign_bulk.MOST_AT_ONCE], asked.now)
    return [view for view in found if sees_group(asked.session, asked.actor, view.group_id)]


def _question(
    frame: Frame, action: str, ids: list[int], back: str, refusal: Invalid | None = None
) -> Response:
    form = Form({"owner_id": request.form.get("owner_id", "")})
    if refusal is not None:
        form.refuse(refusal, ("owner_id",))
    with frame.reading() as asked:
        chosen = _named(asked, ids)
        said: dict[str, Any] = {
            "action": action,
            "chosen": chosen,
            "back": back,
            "form": form,
            "owners": choosing.user_choices(asked, chosen=form["owner_id"]),
        }
        status = 200 if refusal is None else 422
        return frame.either(asked, "campaigns/bulk_question.html", status, **said)


def _many(count: int) -> str:
    return "1 campaign" if count == 1 else f"{count} campaigns"

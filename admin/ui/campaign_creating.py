"""Creating a campaign: the window with its fields, what it will mean, and the window of success."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from admin import campaigns
from admin.access.actor import visible_group
from admin.errors import Conflict, Invalid
from admin.lists import campaigns as campaign_list
from admin.ui import campaign_forms, scope, timeline
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to, is_htmx
from models.group import Group
from routing.route import CampaignFacts


def campaign_creating(frame: Frame) -> Blueprint:
    views = Blueprint("campaign_creating", __name__)

    def window(asked: Asked, form: Form, status: int = 200) -> Response:
        asked.actor.require_writing()
        group = _group(asked, form)
        owner_id = form.whole("owner_id") or asked.actor.user_id
        return frame.either(
            asked, "campaigns/new.html", status, form=form, **_said(asked, form, group, owner_id)
        )

    @views.get("/campaigns/new")
    def ask() -> Response:
        with frame.reading() as asked:
            return window(asked, campaign_forms.blank(asked.actor))

    @views.post("/campaigns/new")
    def take() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = campaign_forms.read(form, asked.zone) | {"group_id": _group(asked, form).id}
                made = campaigns.create(asked.session, asked.actor, raw, asked.now)
                form.finish()
                made_id = made.id
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, campaign_forms.SHOWN)
            with frame.reading() as asked:
                return window(asked, form, 422)
        if is_htmx():
            return created(made_id)
        return go_to(f"/campaigns/{made_id}/created")

    @views.get("/campaigns/<id:campaign_id>/created")
    def created(campaign_id: int) -> Response:
        with frame.reading() as asked:
            made = campaign_list.one(asked.session, asked.actor, campaign_id, asked.now)
            return frame.either(asked, "campaigns/created.html", campaign=made)

    @views.post("/campaigns/new/preview")
    def preview() -> Response:
        form = form_of(request.form)
        with frame.reading() as asked:
            group = _group(asked, form)
            facts = campaign_forms.facts_of(form, asked, group)
            return frame.fragment(asked, "campaigns/preview.html", form=form, **_meaning(facts, asked.now))

    return views


def _said(asked: Asked, form: Form, group: Group, owner_id: int) -> dict[str, Any]:
    facts = campaign_forms.facts_of(form, asked, group)
    return {"choices": campaign_forms.choices(asked, group, owner_id, form["prompt_id"])} | _meaning(
        facts, asked.now
    )


def _meaning(facts: CampaignFacts, now: datetime) -> dict[str, Any]:
    return {
        "facts": facts,
        "spans": timeline.to_come(facts, now),
        "is_scheduled": campaign_forms.is_scheduled(facts, now),
    }


def _group(asked: Asked, form: Form) -> Group:
    """The group that the breadcrumb has chosen when the window was opened."""
    chosen = form.whole("group_id") or scope.chosen(asked.session, asked.actor)
    return visible_group(asked.session, asked.actor, chosen)

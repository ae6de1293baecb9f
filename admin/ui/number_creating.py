"""Creating a tracking number: the window, pre-filled from the group's defaults, and the one of success."""

from typing import Any

from flask import Blueprint, Response, request

from admin import numbers
from admin.errors import Conflict, Invalid
from admin.lists import numbers as number_list
from admin.ui import choosing, number_forms
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to, is_htmx


def number_creating(frame: Frame) -> Blueprint:
    views = Blueprint("number_creating", __name__)

    def window(asked: Asked, form: Form, status: int = 200) -> Response:
        asked.actor.require_writing()
        return frame.either(asked, "numbers/new.html", status, form=form, **_said(asked, form))

    @views.get("/tracking-numbers/new")
    def ask() -> Response:
        """The window; `campaign_id` in the address puts the number on that campaign."""
        with frame.reading() as asked:
            form = form_of(request.args)
            group = choosing.group_of(asked, form)
            return window(asked, Form({**number_forms.defaults(asked.session, group.id), **_placed(form)}))

    @views.get("/tracking-numbers/new/settings")
    def settings() -> Response:
        """The settings anew after another campaign was chosen: untouched ones take its group's defaults."""
        form = form_of(request.args)
        with frame.reading() as asked:
            form = choosing.refilled(asked, form)
            return frame.fragment(asked, "numbers/settings.html", form=form, **_said(asked, form))

    @views.post("/tracking-numbers/new")
    def take() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = number_forms.read(form) | {"number": form["number"]}
                raw["campaign_id"] = form.whole("campaign_id")
                if raw["campaign_id"] is None:
                    raw["group_id"] = choosing.group_of(asked, form).id
                held_id = numbers.create(asked.session, asked.actor, raw, asked.now).id
                form.finish()
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, number_forms.SHOWN)
            with frame.reading() as asked:
                return window(asked, form, 422)
        if is_htmx():
            return created(held_id)
        return go_to(f"/tracking-numbers/{held_id}/created")

    @views.get("/tracking-numbers/<id:number_id>/created")
    def created(number_id: int) -> Response:
        with frame.reading() as asked:
            held = number_list.one(asked.session, asked.actor, number_id, asked.now)
            return frame.either(asked, "numbers/created.html", number=held)

    return views


def _said(asked: Asked, form: Form) -> dict[str, Any]:
    return {
        "group": choosing.group_of(asked, form),
        "campaigns": choosing.campaign_choices(asked, chosen=form["campaign_id"], mine=True),
        "default_ring": number_forms.DEFAULT_RING,
    }


def _placed(form: Form) -> dict[str, str]:
    return {name: form[name] for name in ("campaign_id", "group_id") if form.whole(name)}

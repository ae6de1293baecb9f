"""Users: the list, inviting somebody, and the page of one user."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request
from sqlalchemy import func, select

from admin import users as use_cases
from admin.access.links import VALID_FOR
from admin.errors import Conflict, Invalid
from admin.lists import users as user_list
from admin.ui import choosing, grids, times
from admin.ui.forms import Form, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.views import UserView
from models.campaign import Campaign
from models.sign_in import LinkPurpose
from models.user import User

LISTED: grids.Listed[UserView] = grids.Listed(
    name="users", path="/users", filters=user_list.UserFilters, load=user_list.page
)
_SHOWN = ("email", "name", "role", "group_id", "time_zone")


def users(frame: Frame) -> Blueprint:
    views = Blueprint("users", __name__)

    def editor(asked: Asked, form: Form, user: UserView | None) -> Response:
        said: dict[str, Any] = {
            "form": form,
            "user": user,
            "groups": choosing.group_choices(asked, chosen=form["group_id"]),
            "zones": times.zone_names(),
            "is_me": user is not None and user.id == asked.actor.user_id,
        }
        return frame.either(asked, "users/edit.html", 200 if form.is_right else 422, **said)

    def question(asked: Asked, act: str, user_id: int, form: Form) -> Response:
        asked.actor.require_administration()
        said: dict[str, Any] = {
            "user": _one(asked, user_id),
            "act": act,
            "form": form,
            "owned": _owned(asked, user_id),
            "heirs": [pair for pair in choosing.user_choices(asked) if pair[0] != str(user_id)],
        }
        return frame.either(asked, "users/question.html", 200 if form.is_right else 422, **said)

    def shown_once(asked: Asked, user_id: int, purpose: LinkPurpose, secret: str) -> Response:
        said: dict[str, Any] = {
            "user": _one(asked, user_id),
            "link": frame.gate.link_to(secret),
            "until": asked.now + VALID_FOR[purpose],
            "is_new": purpose is LinkPurpose.INVITE,
        }
        return frame.either(asked, "users/link.html", **said)

    @views.get("/users")
    def grid() -> Response:
        return grids.shown(frame, LISTED, "users/grid.html", "users/grid_part.html", _choices)

    @views.post("/users/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post("/users/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get("/users/<id:user_id>")
    def show(user_id: int) -> Response:
        with frame.reading() as asked:
            user = _one(asked, user_id)
            said: dict[str, Any] = {"user": user, "owned": _owned(asked, user_id)}
            said["rules"] = asked.actor.is_admin and user_id != asked.actor.user_id
            if asked.actor.is_admin:
                said["has_password"] = asked.session.get_one(User, user_id).password_hash is not None
            return frame.page(asked, "users/page.html", **said)

    @views.get("/users/new")
    def ask_new() -> Response:
        with frame.reading() as asked:
            asked.actor.require_administration()
            return editor(asked, Form({"role": "standard", "group_id": str(asked.actor.group_id)}), None)

    @views.post("/users/new")
    def invite() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = _read(form) | {"email": form["email"]}
                user, secret = use_cases.create(asked.session, asked.actor, raw, asked.now)
                return shown_once(asked, user.id, LinkPurpose.INVITE, secret)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, _SHOWN)
        with frame.reading() as asked:
            return editor(asked, form, None)

    @views.get("/users/<id:user_id>/edit")
    def ask_edit(user_id: int) -> Response:
        with frame.reading() as asked:
            user = _one(asked, user_id)
            if user_id != asked.actor.user_id:
                asked.actor.require_administration()
            typed = {"name": user.name, "role": user.role.value, "time_zone": user.time_zone}
            return editor(asked, Form(typed | {"group_id": str(user.group_id)}), user)

    @views.post("/users/<id:user_id>/edit")
    def revise(user_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                use_cases.revise(asked.session, asked.actor, user_id, _read(form), asked.now)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, _SHOWN)
            with frame.reading() as asked:
                return editor(asked, form, _one(asked, user_id))
        flash("Saved.")
        return go_to(f"/users/{user_id}")

    @views.get("/users/<id:user_id>/disable", defaults={"act": "disable"})
    @views.get("/users/<id:user_id>/link", defaults={"act": "link"})
    @views.get("/users/<id:user_id>/second-factor", defaults={"act": "second-factor"})
    def ask(user_id: int, act: str) -> Response:
        with frame.reading() as asked:
            return question(asked, act, user_id, Form())

    @views.post("/users/<id:user_id>/disable")
    def disable(user_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = {"new_owner_id": form["new_owner_id"] or None}
                use_cases.disable(asked.session, asked.actor, user_id, raw, asked.now)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, ("new_owner_id",))
            with frame.reading() as asked:
                return question(asked, "disable", user_id, form)
        flash("The user is disabled and signed out everywhere; the API tokens are revoked.")
        return go_to(f"/users/{user_id}")

    @views.post("/users/<id:user_id>/enable")
    def enable(user_id: int) -> Response:
        with frame.writing() as asked:
            use_cases.enable(asked.session, asked.actor, user_id)
        flash("The user may sign in again. API tokens stay revoked.")
        return go_to(f"/users/{user_id}")

    @views.post("/users/<id:user_id>/link")
    def make_link(user_id: int) -> Response:
        with frame.writing() as asked:
            purpose, secret = use_cases.make_link(asked.session, asked.actor, user_id, asked.now)
            return shown_once(asked, user_id, purpose, secret)

    @views.post("/users/<id:user_id>/second-factor")
    def remove_second_factor(user_id: int) -> Response:
        with frame.writing() as asked:
            use_cases.remove_second_factor(asked.session, asked.actor, user_id)
        flash("The second factor is off; signing in takes the password alone.")
        return go_to(f"/users/{user_id}")

    return views


def _one(asked: Asked, user_id: int) -> UserView:
    return user_list.one(asked.session, asked.actor, user_id, asked.now)


def _owned(asked: Asked, user_id: int) -> int:
    owned = select(func.count()).select_from(Campaign).where(Campaign.owner_id == user_id)
    return asked.session.scalars(owned).one()


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {"groups": choosing.group_choices(asked, chosen=request.args.get("group_id", ""))}


def _read(form: Form) -> dict[str, object]:
    raw: dict[str, object] = {name: form[name] for name in ("name", "role") if name in form.typed}
    if form["time_zone"].strip():
        raw["time_zone"] = form["time_zone"].strip()
    group_id = form.whole("group_id")
    if group_id is not None:
        raw["group_id"] = group_id
    return raw

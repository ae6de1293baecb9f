"""Groups: the tree, and the page of one group with its settings and where they come from."""

from math import nan
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import groups as use_cases
from admin.access.actor import visible_group
from admin.errors import Conflict, Invalid
from admin.lists import groups as group_list
from admin.lists import plans as plan_list
from admin.lists.visible import visible
from admin.plans import is_of_the_whole_account
from admin.ui import choosing, scope, times
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.views import GroupView
from models.group import Group, ancestors
from routing.numbers import PhoneNumber

_SHOWN = (
    "name",
    "external_id",
    "industry",
    "phone",
    "city",
    "time_zone",
    "plan_id",
    "countries",
    "talk_limit",
    "default_destination",
    "default_whisper",
    "default_ring_timeout",
    "default_record_calls",
    "default_caller_id",
)
_MOST_PLANS = 200
_MINUTE = 60
_LONGEST = 240
"""Minutes, as the use case has it in seconds."""


def groups(frame: Frame) -> Blueprint:
    views = Blueprint("groups", __name__)

    def editor(asked: Asked, form: Form, group: GroupView | None, parent: GroupView | None) -> Response:
        asked.actor.require_administration()
        said = {
            "form": form,
            "group": group,
            "parent": parent,
            "zones": times.zone_names(),
            "plans": _plans(asked),
        }
        return frame.either(asked, "groups/edit.html", 200 if form.is_right else 422, **said)

    def question(asked: Asked, act: str, group_id: int, form: Form) -> Response:
        asked.actor.require_administration()
        group = _one(asked, group_id)
        offered = [
            (value, text)
            for value, text in choosing.group_choices(asked, chosen=form["parent_id"])
            if all(above.id != group_id for above in ancestors(asked.session, int(value)))
        ]
        status = 200 if form.is_right else 422
        return frame.either(asked, f"groups/{act}.html", status, group=group, groups=offered, form=form)

    @views.get("/groups")
    def index() -> Response:
        words = request.args.get("q", "").strip()
        with frame.reading() as asked:
            tree = scope.tree(asked.session, asked.actor, words)
            seen = visible(asked.session, asked.actor)
            shown = group_list.views(asked.session, [group.id for _, group in tree], seen)
            depths = {group.id: depth for depth, group in tree}
            said: dict[str, Any] = {"shown": shown, "depths": depths, "words": words}
            if request.headers.get("HX-Target") == "grid":
                return frame.fragment(asked, "groups/tree.html", **said)
            return frame.page(asked, "groups/index.html", **said)

    @views.get("/groups/<id:group_id>")
    def show(group_id: int) -> Response:
        with frame.reading() as asked:
            group = _one(asked, group_id)
            raw = {"parent_id": group_id, "limit": 200}
            whole = ancestors(asked.session, group_id)
            own = next(place for place, each in enumerate(whole) if each.id == asked.actor.group_id)
            return frame.page(
                asked,
                "groups/page.html",
                group=group,
                way=whole[own:],
                names={each.id: each.name for each in whole},
                below=group_list.page(asked.session, asked.actor, raw, asked.now).items,
            )

    @views.get("/groups/new")
    def ask_new() -> Response:
        with frame.reading() as asked:
            named = form_of(request.args).whole("parent_id")
            return editor(asked, Form(), None, _one(asked, named or asked.actor.group_id))

    @views.post("/groups/new")
    def create() -> Response:
        form = form_of(request.form)
        parent_id = form.whole("parent_id")
        try:
            with frame.writing() as asked:
                raw = _read(form) | {"parent_id": parent_id}
                made = use_cases.create(asked.session, asked.actor, raw, asked.now).id
                form.finish()
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, _SHOWN)
            with frame.reading() as asked:
                return editor(asked, form, None, _one(asked, parent_id or asked.actor.group_id))
        flash("The group is created.")
        return go_to(f"/groups/{made}")

    @views.get("/groups/<id:group_id>/edit")
    def ask_edit(group_id: int) -> Response:
        with frame.reading() as asked:
            group = _one(asked, group_id)
            return editor(asked, _filled(group), group, _parent(asked, group))

    @views.post("/groups/<id:group_id>/edit")
    def revise(group_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                use_cases.revise(asked.session, asked.actor, group_id, _read(form), asked.now)
                form.finish()
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, _SHOWN)
            with frame.reading() as asked:
                group = _one(asked, group_id)
                return editor(asked, form, group, _parent(asked, group))
        flash("Saved. It counts from the next call on.")
        return go_to(f"/groups/{group_id}")

    @views.get("/groups/<id:group_id>/<any(move, archive):act>")
    def ask(group_id: int, act: str) -> Response:
        with frame.reading() as asked:
            return question(asked, act, group_id, Form({"parent_id": str(_one(asked, group_id).parent_id)}))

    @views.post("/groups/<id:group_id>/<any(move, archive):act>")
    def do(group_id: int, act: str) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                if act == "move":
                    raw = {"parent_id": form.whole("parent_id")}
                    use_cases.move(asked.session, asked.actor, group_id, raw, asked.now)
                else:
                    use_cases.archive(asked.session, asked.actor, group_id, {}, asked.now)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, ("parent_id",))
            with frame.reading() as asked:
                return question(asked, act, group_id, form)
        flash("The group is moved." if act == "move" else "The group is archived.")
        return go_to(f"/groups/{group_id}" if act == "move" else "/groups")

    return views


def _one(asked: Asked, group_id: int) -> GroupView:
    return group_list.one(asked.session, asked.actor, group_id, asked.now)


def _parent(asked: Asked, group: GroupView) -> GroupView | None:
    """None for the actor's own group, of which he does not see what is above."""
    if group.id == asked.actor.group_id or group.parent_id is None:
        return None
    return _one(asked, visible_group(asked.session, asked.actor, group.parent_id).id)


def _plans(asked: Asked) -> list[tuple[int, str]] | None:
    """What to choose from; None for whoever may not choose."""
    if not is_of_the_whole_account(asked.session, asked.actor):
        return None
    listed = plan_list.page(asked.session, asked.actor, {"limit": _MOST_PLANS}, asked.now).items
    return [
        (plan.id, plan.name + (", with the referral prompt" if plan.includes_referral else ""))
        for plan in listed
    ]


def _filled(group: GroupView | Group) -> Form:
    typed = {name: _spelled(getattr(group, name)) for name in _SHOWN}
    if group.talk_limit is not None:
        typed["talk_limit"] = f"{group.talk_limit / _MINUTE:g}"
    return Form(typed)


def _spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case PhoneNumber():
            return value.e164
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value)
        case _:
            return str(value)


def _read(form: Form) -> dict[str, object]:
    """What was typed, as the use cases read it; fields that were not shown are left out."""
    raw: dict[str, object] = {
        name: form[name].strip() or None for name in _SHOWN if name in form.typed and name != "name"
    }
    raw["name"] = form["name"]
    for name in ("plan_id", "default_ring_timeout"):
        if raw.get(name) is not None:
            raw[name] = form.whole(name) or form[name]
    if raw.get("talk_limit") is not None:
        minutes = _minutes(form["talk_limit"])
        if 1 <= minutes <= _LONGEST:
            raw["talk_limit"] = round(minutes * _MINUTE)
        else:
            form.add("talk_limit", f"is a number of minutes from 1 to {_LONGEST}, such as 60")
            del raw["talk_limit"]
    if raw.get("countries") is not None:
        raw["countries"] = form["countries"].replace(",", " ").split()
    if raw.get("default_record_calls") is not None:
        raw["default_record_calls"] = form["default_record_calls"] == "yes"
    return raw


def _minutes(text: str) -> float:
    """Not a number where it is none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return nan

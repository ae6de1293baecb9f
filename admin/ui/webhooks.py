"""Webhooks: who is told of what, the page of one endpoint with its deliveries, and what can be done."""

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import webhook_deliveries, webhook_endpoints
from admin.errors import Invalid, Stale
from admin.lists import webhook_deliveries as delivery_list
from admin.lists import webhook_endpoints as endpoint_list
from admin.ui import choosing, ranges, webhook_forms
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.ui.times import NotATime
from admin.webhook_endpoints import LONGEST_OVERLAP, RefusalOf
from admin.webhook_views import EndpointView
from models.webhook_delivery import DeliveryStatus
from models.webhook_endpoint import TEST_EVENT

_PATH = "/settings/webhooks"
_A_PAGE = 50
_MANY_DIGITS = 5
_AGAIN = {"failed": ["failed"], "all": [status.value for status in DeliveryStatus]}


def webhooks(frame: Frame, refusal_of: RefusalOf) -> Blueprint:
    views = Blueprint("webhooks", __name__)

    def editor(asked: Asked, form: Form, endpoint_id: int | None = None) -> Response:
        asked.actor.require_administration()
        said: dict[str, Any] = {
            "form": form,
            "endpoint": None if endpoint_id is None else _one(asked, endpoint_id),
            "meanings": webhook_forms.MEANINGS,
            "groups": choosing.group_choices(asked, chosen=form["group_id"]),
        }
        return frame.either(asked, "webhooks/edit.html", 200 if form.is_right else 422, **said)

    def question(asked: Asked, endpoint_id: int, act: str, form: Form) -> Response:
        asked.actor.require_administration()
        said: dict[str, Any] = {"endpoint": _one(asked, endpoint_id), "act": act, "form": form}
        return frame.either(asked, "webhooks/question.html", 200 if form.is_right else 422, **said)

    def secret(asked: Asked, endpoint_id: int, text: str, *, is_new: bool) -> Response:
        said: dict[str, Any] = {"endpoint": _one(asked, endpoint_id), "secret": text, "is_new": is_new}
        return frame.either(asked, "webhooks/secret.html", **said)

    @views.get(_PATH)
    def index() -> Response:
        with frame.reading() as asked:
            raw = {"limit": _A_PAGE, "count": True, "cursor": request.args.get("cursor") or None}
            held = endpoint_list.page(asked.session, asked.actor, raw, asked.now)
            return frame.page(asked, "webhooks/index.html", held=held)

    @views.get(f"{_PATH}/new")
    def ask_new() -> Response:
        with frame.reading() as asked:
            group = {"group_id": str(asked.actor.group_id)}
            return editor(asked, Form(group | {"call.completed": "yes", "call.updated": "yes"}))

    @views.post(f"{_PATH}/new")
    def create() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = webhook_forms.read(form) | {"group_id": form.whole("group_id")}
                made = webhook_endpoints.create(asked.session, asked.actor, raw, asked.now, refusal_of)
                form.finish()
                return secret(asked, made.id, made.secret, is_new=True)
        except (Invalid, Wrong) as refusal:
            form.refuse(refusal, webhook_forms.SHOWN)
        with frame.reading() as asked:
            return editor(asked, form)

    @views.get(f"{_PATH}/<id:endpoint_id>")
    def show(endpoint_id: int) -> Response:
        with frame.reading() as asked:
            form = form_of(request.args)
            raw: dict[str, Any] = {name: [form[name]] for name in ("status", "event") if form[name]}
            raw |= {"limit": _A_PAGE, "count": True, "cursor": form["cursor"] or None}
            said: dict[str, Any] = {
                "endpoint": _one(asked, endpoint_id),
                "held": delivery_list.page(asked.session, asked.actor, endpoint_id, raw, asked.now),
                "form": form,
                "events": [(word, word) for word in (*webhook_forms.MEANINGS, TEST_EVENT)],
            }
            return frame.page(asked, "webhooks/page.html", **said)

    @views.get(f"{_PATH}/<id:endpoint_id>/edit")
    def ask_edit(endpoint_id: int) -> Response:
        with frame.reading() as asked:
            return editor(asked, webhook_forms.typed(_one(asked, endpoint_id)), endpoint_id)

    @views.post(f"{_PATH}/<id:endpoint_id>/edit")
    def revise(endpoint_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = webhook_forms.read(form) | {"revision": form.revision}
                webhook_endpoints.revise(
                    asked.session, asked.actor, endpoint_id, raw, asked.now, refusal_of=refusal_of
                )
                form.finish()
        except (Invalid, Wrong) as refusal:
            form.refuse(refusal, webhook_forms.SHOWN)
        except Stale as stale:
            form.add("", "Somebody saved it after you had opened it. Save again to overwrite that.")
            form = Form(dict(form.typed) | {"revision": str(stale.revision)}, form.errors)
        if not form.is_right:
            with frame.reading() as asked:
                return editor(asked, form, endpoint_id)
        flash("Saved.")
        return go_to(f"{_PATH}/{endpoint_id}")

    @views.get(f"{_PATH}/<id:endpoint_id>/<any(rotate, replay, remove):act>")
    def ask(endpoint_id: int, act: str) -> Response:
        with frame.reading() as asked:
            return question(asked, endpoint_id, act, Form({"overlap_hours": "24", "status": "failed"}))

    def rotate(endpoint_id: int) -> Response:
        form = form_of(request.form)
        text = form["overlap_hours"].strip()
        hours = int(text) if text.isascii() and text.isdecimal() and len(text) < _MANY_DIGITS else None
        try:
            with frame.writing() as asked:
                raw = {"overlap_hours": LONGEST_OVERLAP + 1 if hours is None else hours}
                changed = webhook_endpoints.rotate(asked.session, asked.actor, endpoint_id, raw, asked.now)
                return secret(asked, endpoint_id, changed.secret, is_new=False)
        except Invalid as refusal:
            form.refuse(refusal, ("overlap_hours",))
        with frame.reading() as asked:
            return question(asked, endpoint_id, "rotate", form)

    def replay(endpoint_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = {"status": _AGAIN.get(form["status"], ["failed"])} | _span(form, asked)
                form.finish()
                done = webhook_deliveries.replay(asked.session, asked.actor, endpoint_id, raw, asked.now)
        except (Invalid, Wrong) as refusal:
            form.refuse(refusal, ())
            with frame.reading() as asked:
                return question(asked, endpoint_id, "replay", form)
        more = " There are more; do it again when these are through." if done.more else ""
        flash(f"{done.queued:,} deliver{'y is' if done.queued == 1 else 'ies are'} sent again.{more}")
        return go_to(f"{_PATH}/{endpoint_id}")

    def remove(endpoint_id: int) -> Response:
        with frame.writing() as asked:
            webhook_endpoints.remove(asked.session, asked.actor, endpoint_id, asked.now)
        flash("The webhook is removed. Its address is told nothing more.")
        return go_to(_PATH)

    acts = {"rotate": rotate, "replay": replay, "remove": remove}

    @views.post(f"{_PATH}/<id:endpoint_id>/<any(pause, resume, test, rotate, replay, remove):act>")
    def do(endpoint_id: int, act: str) -> Response:
        if act in acts:
            return acts[act](endpoint_id)
        do_at_once, said = _AT_ONCE[act]
        with frame.writing() as asked:
            do_at_once(asked, endpoint_id)
        flash(said)
        return go_to(f"{_PATH}/{endpoint_id}")

    @views.get(f"{_PATH}/<id:endpoint_id>/deliveries/<id:delivery_id>")
    def show_delivery(endpoint_id: int, delivery_id: int) -> Response:
        with frame.reading() as asked:
            found = delivery_list.one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)
            payload = json.dumps(found.payload, indent=2, ensure_ascii=False)
            endpoint = _one(asked, endpoint_id)
            return frame.page(
                asked, "webhooks/delivery.html", endpoint=endpoint, delivery=found, payload=payload
            )

    @views.post(f"{_PATH}/<id:endpoint_id>/deliveries/<id:delivery_id>/replay")
    def replay_one(endpoint_id: int, delivery_id: int) -> Response:
        with frame.writing() as asked:
            webhook_deliveries.replay_one(asked.session, asked.actor, endpoint_id, delivery_id, asked.now)
        flash("It is sent again, under the same id.")
        return go_to(f"{_PATH}/{endpoint_id}/deliveries/{delivery_id}")

    return views


def _one(asked: Asked, endpoint_id: int) -> EndpointView:
    return endpoint_list.one(asked.session, asked.actor, endpoint_id, asked.now)


def _span(form: Form, asked: Asked) -> dict[str, object]:
    """The days that were typed, as the use case reads them."""
    found: dict[str, object] = {}
    for end in ("from", "to"):
        if form[f"created_{end}"]:
            try:
                found |= ranges.end("created", end, form[f"created_{end}"], asked.zone)
            except NotATime as error:
                form.add("", f"“{form[f'created_{end}']}”: {error}.")
    return found


def _pause(asked: Asked, endpoint_id: int) -> None:
    webhook_endpoints.pause(asked.session, asked.actor, endpoint_id)


def _resume(asked: Asked, endpoint_id: int) -> None:
    webhook_endpoints.resume(asked.session, asked.actor, endpoint_id, asked.now)


def _test(asked: Asked, endpoint_id: int) -> None:
    webhook_deliveries.test(asked.session, asked.actor, endpoint_id, asked.now)


_AT_ONCE: dict[str, tuple[Callable[[Asked, int], None], str]] = {
    "pause": (_pause, "Paused. What happens meanwhile waits for up to 30 days."),
    "resume": (_resume, "Open again. What has waited is sent now."),
    "test": (_test, "A test is on its way. Look at the deliveries in a second or two."),
}

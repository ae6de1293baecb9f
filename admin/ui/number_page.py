"""The page of one tracking number: what it is, who heard what; editing, moving and releasing it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import number_releases, numbers
from admin.errors import Conflict, Invalid, Stale
from admin.lists import audit as audit_list
from admin.lists import calls as call_list
from admin.lists import numbers as number_list
from admin.number_releases import QUARANTINE_DAYS
from admin.references import require_managing, visible_number
from admin.ui import audit_wording, choosing, conflicts, number_forms, times
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.views import CallView, NumberView, Page
from models.campaign import Campaign
from models.number_release import NumberRelease
from models.tracking_number import NumberStatus, TrackingNumber
from routing.explanation import Explanation
from routing.numbers import PhoneNumber

Explain = Callable[[PhoneNumber, datetime], Explanation]

_CALLS_SHOWN, _CALLS_BEFORE_RELEASE, _ENTRIES_SHOWN = 20, 5, 20
_LATELY = timedelta(days=30)


def number_page(frame: Frame, explain: Explain) -> Blueprint:
    views = Blueprint("number_page", __name__)

    def editor(asked: Asked, number: TrackingNumber, form: Form, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - templates take anything
        require_managing(asked.session, asked.actor, number.campaign_id)
        shown = number_list.one(asked.session, asked.actor, number.id, asked.now)
        said = {"number": shown, "form": form, "default_ring": number_forms.DEFAULT_RING}
        return frame.either(asked, "numbers/edit.html", status, **said, **more)

    def mover(asked: Asked, number_id: int, form: Form, status: int = 200) -> Response:
        number = number_list.one(asked.session, asked.actor, number_id, asked.now)
        require_managing(asked.session, asked.actor, number.campaign_id)
        offered = choosing.campaign_choices(asked, chosen=form["campaign_id"], mine=True)
        return frame.either(asked, "numbers/move.html", status, number=number, form=form, campaigns=offered)

    @views.get("/tracking-numbers/<id:number_id>")
    def show(number_id: int) -> Response:
        """The page; `at` in the address asks what a caller would get then."""
        form = form_of(request.args)
        with frame.reading() as asked:
            said = _everything(asked, number_id)
            if not form["at"]:
                form = Form({"at": times.typed(asked.now, asked.zone)})
            said |= {"asks": form, "answer": _answer(asked, said["number"].number, form, explain)}
            if request.headers.get("HX-Target") == "answer":
                return frame.fragment(asked, "campaigns/answer.html", **said)
            return frame.page(asked, "numbers/page.html", **said)

    @views.get("/tracking-numbers/<id:number_id>/edit")
    def ask(number_id: int) -> Response:
        with frame.reading() as asked:
            number = visible_number(asked.session, asked.actor, number_id)
            return editor(asked, number, number_forms.filled(number))

    @views.post("/tracking-numbers/<id:number_id>/edit")
    def take(number_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = number_forms.read(form) | {"revision": form.revision}
                numbers.revise(asked.session, asked.actor, number_id, raw, asked.now)
                form.finish()
        except Stale:
            with frame.reading() as asked:
                number = visible_number(asked.session, asked.actor, number_id)
                saved = number_forms.filled(number)
                about = ("tracking_number", number_id)
                over, said = conflicts.over(asked, about, form, saved, number_forms.SETTINGS)
                return editor(asked, number, over, 409, **said)
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, number_forms.SETTINGS)
            with frame.reading() as asked:
                return editor(asked, visible_number(asked.session, asked.actor, number_id), form, 422)
        flash("Saved. The next call already hears the difference.")
        return go_to(f"/tracking-numbers/{number_id}")

    @views.get("/tracking-numbers/<id:number_id>/move")
    def ask_where(number_id: int) -> Response:
        with frame.reading() as asked:
            number = visible_number(asked.session, asked.actor, number_id)
            return mover(asked, number_id, Form({"revision": str(number.revision)}))

    @views.post("/tracking-numbers/<id:number_id>/move")
    def move(number_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                if not form["campaign_id"]:
                    form.add("campaign_id", "choose where it goes")
                form.finish()
                raw = {"campaign_id": form.whole("campaign_id"), "revision": form.revision}
                numbers.move(asked.session, asked.actor, number_id, raw, asked.now)
        except Stale:
            flash("Nothing was done: somebody changed the number meanwhile. This is how it is now.")
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, ("campaign_id",))
            with frame.reading() as asked:
                return mover(asked, number_id, form, 422)
        else:
            flash("Moved. Its next caller already gets what the campaign says.")
        return go_to(f"/tracking-numbers/{number_id}")

    def releaser(asked: Asked, number_id: int, form: Form, status: int = 200) -> Response:
        outlook = number_releases.outlook_of(asked.session, asked.actor, number_id, asked.now)
        number = number_list.one(asked.session, asked.actor, number_id, asked.now)
        raw = {"started_from": asked.now - _LATELY, "limit": _CALLS_BEFORE_RELEASE, "count": True}
        said = {"outlook": outlook, "calls": _calls(asked, number.number, raw)}
        return frame.either(asked, "numbers/release.html", status, number=number, form=form, **said)

    @views.get("/tracking-numbers/<id:number_id>/release")
    def ask_whether(number_id: int) -> Response:
        with frame.reading() as asked:
            return releaser(asked, number_id, Form({"days": str(QUARANTINE_DAYS)}))

    @views.post("/tracking-numbers/<id:number_id>/release")
    def release(number_id: int) -> Response:
        form = form_of(request.form)
        raw = {name: form[name] for name in ("days", "even_in_use", "revision") if form[name].strip()}
        try:
            with frame.writing() as asked:
                number_releases.release_one(asked.session, asked.actor, number_id, raw, asked.now)
        except Stale:
            flash("Nothing was done: somebody changed the number meanwhile. This is how it is now.")
        except (Invalid, Conflict) as refusal:
            if isinstance(refusal, Conflict) and refusal.field != "even_in_use":
                flash(f"Nothing was done: {refusal}.")
            else:
                form.refuse(refusal, ("days", "even_in_use"))
                with frame.reading() as asked:
                    return releaser(asked, number_id, form, 422)
        else:
            flash("Released. Whoever dials it now is not answered.")
        return go_to(f"/tracking-numbers/{number_id}")

    @views.post("/tracking-numbers/<id:number_id>/undo-release")
    def undo(number_id: int) -> Response:
        try:
            with frame.writing() as asked:
                number_id = number_releases.undo_one(asked.session, asked.actor, number_id).id
        except Conflict as refusal:
            flash(f"Nothing was done: {refusal}.")
        else:
            flash("The number is held again, as it was.")
        return go_to(f"/tracking-numbers/{number_id}")

    return views


def _everything(asked: Asked, number_id: int) -> dict[str, Any]:
    session, actor, now = asked.session, asked.actor, asked.now
    number = number_list.one(session, actor, number_id, now)
    campaign = None if number.campaign_id is None else session.get_one(Campaign, number.campaign_id)
    manages = actor.manages(campaign) if campaign is not None else actor.is_admin and actor.may_write()
    entries = {"entity": "tracking_number", "entity_id": number_id, "limit": _ENTRIES_SHOWN}
    return {
        "number": number,
        "campaign": campaign,
        "manages": manages and number.status is NumberStatus.ACTIVE,
        "resting": _resting(asked, number),
        "may_undo": manages,
        "calls": _calls(asked, number.number, {"limit": _CALLS_SHOWN}).items,
        "entries": audit_wording.worded(session, actor, audit_list.page(session, actor, entries, now).items),
        "default_ring": number_forms.DEFAULT_RING,
    }


def _resting(asked: Asked, number: NumberView) -> NumberRelease | None:
    """The way of a released number back to the carrier, while it can be had back."""
    if number.status is NumberStatus.ACTIVE:
        return None
    return number_releases.resting(asked.session, number.id, number.number)


def _calls(asked: Asked, number: PhoneNumber, raw: dict[str, Any]) -> Page[CallView]:
    return call_list.page(asked.session, asked.actor, raw | {"number": number.e164}, asked.now)


def _answer(asked: Asked, number: PhoneNumber, form: Form, explain: Explain) -> Explanation | None:
    moment = form.moment("at", asked.zone)
    if not form.is_right:
        return None
    return explain(number, asked.now if moment is None else datetime.fromisoformat(moment))

"""The page of one campaign: what it is, what callers hear, its numbers, its calls, what was done to it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import campaigns
from admin.errors import Conflict, Invalid, Stale
from admin.lists import audit as audit_list
from admin.lists import calls as call_list
from admin.lists import campaigns as campaign_list
from admin.lists import numbers as number_list
from admin.lists import prompts as prompt_list
from admin.references import visible_campaign, visible_number
from admin.ui import audit_wording, campaign_forms, conflicts, timeline, times
from admin.ui.forms import Form, Wrong, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.ui.orders import unfinished_of
from models.campaign import Campaign
from models.group import Group
from models.routes import campaign_facts
from routing.explanation import Explanation
from routing.numbers import PhoneNumber

Explain = Callable[[PhoneNumber, datetime], Explanation]

_NUMBERS_SHOWN, _CALLS_SHOWN, _ENTRIES_SHOWN = 50, 10, 20
_ACTS = {
    "pause": (campaigns.pause, "The campaign is paused. Its calls are rejected until you resume it."),
    "resume": (campaigns.resume, "The campaign is switched on again."),
    "end": (campaigns.end_now, "The campaign has ended."),
    "archive": (campaigns.archive, "The campaign is archived. It stays as it is; its calls are rejected."),
}


def campaign_page(frame: Frame, explain: Explain) -> Blueprint:
    views = Blueprint("campaign_page", __name__)

    def editor(asked: Asked, campaign: Campaign, form: Form, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - templates take anything
        asked.actor.require_managing(campaign)
        group = asked.session.get_one(Group, campaign.group_id)
        owner_id = form.whole("owner_id") or campaign.owner_id
        facts = campaign_forms.facts_of(form, asked, group)
        said = {
            "campaign": campaign,
            "form": form,
            "choices": campaign_forms.choices(asked, group, owner_id, form["prompt_id"]),
            "facts": facts,
            "spans": timeline.to_come(facts, asked.now),
            "is_scheduled": campaign_forms.is_scheduled(facts, asked.now),
        }
        return frame.either(asked, "campaigns/edit.html", status, **said, **more)

    @views.get("/campaigns/<id:campaign_id>")
    def show(campaign_id: int) -> Response:
        with frame.reading() as asked:
            return frame.page(asked, "campaigns/page.html", **_everything(asked, campaign_id))

    @views.get("/campaigns/<id:campaign_id>/edit")
    def ask(campaign_id: int) -> Response:
        with frame.reading() as asked:
            campaign = visible_campaign(asked.session, asked.actor, campaign_id)
            return editor(asked, campaign, campaign_forms.filled(campaign, asked.zone))

    @views.post("/campaigns/<id:campaign_id>/edit")
    def take(campaign_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = campaign_forms.read(form, asked.zone) | {"revision": form.revision}
                campaigns.revise(asked.session, asked.actor, campaign_id, raw, asked.now)
                form.finish()
        except Stale:
            with frame.reading() as asked:
                return _conflict(asked, campaign_id, form, editor)
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, campaign_forms.SHOWN)
            with frame.reading() as asked:
                return editor(asked, visible_campaign(asked.session, asked.actor, campaign_id), form, 422)
        flash("Saved. The next call already hears the difference.")
        return go_to(f"/campaigns/{campaign_id}")

    @views.get("/campaigns/<id:campaign_id>/<any(end, archive):act>")
    def question(campaign_id: int, act: str) -> Response:
        with frame.reading() as asked:
            campaign = campaign_list.one(asked.session, asked.actor, campaign_id, asked.now)
            return frame.either(asked, "campaigns/question.html", campaign=campaign, act=act)

    @views.get("/campaigns/<id:campaign_id>/extend")
    def ask_for_later_end(campaign_id: int) -> Response:
        with frame.reading() as asked:
            campaign = visible_campaign(asked.session, asked.actor, campaign_id)
            form = campaign_forms.filled(campaign, asked.zone)
            return frame.either(asked, "campaigns/extend.html", campaign=campaign, form=form)

    @views.post("/campaigns/<id:campaign_id>/extend")
    def extend(campaign_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = {"revision": form.revision, "ends_at": campaign_forms.end_of(form, asked.zone)}
                campaigns.extend(asked.session, asked.actor, campaign_id, raw, asked.now)
                form.finish()
        except (Invalid, Conflict, Wrong) as refusal:
            form.refuse(refusal, ("ends_at",))
            with frame.reading() as asked:
                campaign = visible_campaign(asked.session, asked.actor, campaign_id)
                return frame.either(asked, "campaigns/extend.html", 422, campaign=campaign, form=form)
        except Stale:
            flash("Nothing was done: somebody changed the campaign meanwhile. This is how it is now.")
        else:
            flash("The campaign ends later. The next call already hears the difference.")
        return go_to(f"/campaigns/{campaign_id}")

    @views.post("/campaigns/<id:campaign_id>/<any(pause, resume, end, archive):act>")
    def do(campaign_id: int, act: str) -> Response:
        use_case, done = _ACTS[act]
        try:
            with frame.writing() as asked:
                raw = {"revision": form_of(request.form).revision}
                use_case(asked.session, asked.actor, campaign_id, raw, asked.now)
        except Stale:
            flash("Nothing was done: somebody changed the campaign meanwhile. This is how it is now.")
        except Invalid as refusal:
            flash("Nothing was done: " + "; ".join(error.message for error in refusal.errors) + ".")
        else:
            flash(done)
        return go_to(f"/campaigns/{campaign_id}")

    @views.get("/campaigns/<id:campaign_id>/at")
    def at(campaign_id: int) -> Response:
        """What a caller of one of its numbers would get at an instant."""
        form = form_of(request.args)
        with frame.reading() as asked:
            said = _everything(asked, campaign_id) | {"asks": form}
            said["answer"] = _answer(asked, campaign_id, form, explain)
            if request.headers.get("HX-Target") == "answer":
                return frame.fragment(asked, "campaigns/answer.html", **said)
            return frame.page(asked, "campaigns/page.html", **said)

    return views


def _everything(asked: Asked, campaign_id: int) -> dict[str, Any]:
    session, actor, now = asked.session, asked.actor, asked.now
    campaign = campaign_list.one(session, actor, campaign_id, now)
    facts = campaign_facts(session, [campaign_id])[campaign_id]
    of_it = {"campaign_id": campaign_id}
    entries = {"entity": "campaign", "entity_id": campaign_id, "limit": _ENTRIES_SHOWN}
    numbers = number_list.page(session, actor, of_it | {"limit": _NUMBERS_SHOWN, "count": True}, now)
    prompt_id = campaign.prompt_id
    return {
        "campaign": campaign,
        "manages": actor.manages(session.get_one(Campaign, campaign_id)) and campaign.archived_at is None,
        "spans": timeline.spans(facts, now),
        "refers": facts.end_of_campaign.value == "referral",
        "words": timeline.referral_words(facts),
        "language": timeline.language_of(facts),
        "prompt": None if prompt_id is None else prompt_list.views(session, [prompt_id])[0],
        "numbers": numbers,
        "orders": unfinished_of(asked, campaign_id),
        "calls": call_list.page(session, actor, of_it | {"limit": _CALLS_SHOWN}, now).items,
        "entries": audit_wording.worded(session, actor, audit_list.page(session, actor, entries, now).items),
        "asks": Form({"at": times.typed(now, asked.zone)}),
        "answer": None,
    }


def _answer(asked: Asked, campaign_id: int, form: Form, explain: Explain) -> Explanation | None:
    number_id = form.whole("number_id")
    moment = form.moment("at", asked.zone)
    if number_id is None:
        form.add("number_id", "choose a number of the campaign")
        return None
    number = visible_number(asked.session, asked.actor, number_id)
    if number.campaign_id != campaign_id:
        form.add("number_id", "is on another campaign meanwhile")
    if not form.is_right:
        return None
    return explain(number.number, asked.now if moment is None else datetime.fromisoformat(moment))


def _conflict(asked: Asked, campaign_id: int, form: Form, editor: Callable[..., Response]) -> Response:
    """The form as it was typed, over what was saved meanwhile: to be compared, and saved if still meant."""
    campaign = visible_campaign(asked.session, asked.actor, campaign_id)
    saved = campaign_forms.filled(campaign, asked.zone)
    over, said = conflicts.over(asked, ("campaign", campaign_id), form, saved, campaign_forms.SHOWN)
    return editor(asked, campaign, over, 409, **said)

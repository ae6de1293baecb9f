"""The page of one prompt: what callers hear of it, which campaigns use it; putting it away."""

from flask import Blueprint, Response, flash

from admin import prompts as use_cases
from admin.errors import Conflict
from admin.lists import audit as audit_list
from admin.lists import campaigns as campaign_list
from admin.lists import prompts as prompt_list
from admin.ui import audit_wording, prompt_wording
from admin.ui.frame import Frame, go_to
from models.prompt import audio_by_digest

_CAMPAIGNS_SHOWN, _ENTRIES_SHOWN = 20, 20


def prompt_page(frame: Frame) -> Blueprint:
    views = Blueprint("prompt_page", __name__)

    @views.get("/prompts/<id:prompt_id>")
    def show(prompt_id: int) -> Response:
        with frame.reading() as asked:
            session, actor, now = asked.session, asked.actor, asked.now
            prompt = prompt_list.one(session, actor, prompt_id, now)
            raw = {"prompt_id": prompt_id, "limit": _CAMPAIGNS_SHOWN, "count": True, "sort": "name"}
            about = {"entity": "prompt", "entity_id": prompt_id, "limit": _ENTRIES_SHOWN}
            entries = audit_list.page(session, actor, about, now).items
            audio = None if prompt.audio_path is None else audio_by_digest(session, prompt.digest or "")
            return frame.page(
                asked,
                "prompts/page.html",
                prompt=prompt,
                heard=prompt_wording.heard_of(prompt),
                wave=prompt_wording.drawn(audio),
                used_by=campaign_list.page(session, actor, raw, now),
                entries=audit_wording.worded(session, actor, entries),
                manages=actor.is_admin and actor.may_write() and prompt.archived_at is None,
            )

    @views.get("/prompts/<id:prompt_id>/archive")
    def ask(prompt_id: int) -> Response:
        with frame.reading() as asked:
            asked.actor.require_admin()
            prompt = prompt_list.one(asked.session, asked.actor, prompt_id, asked.now)
            return frame.either(asked, "prompts/archive.html", prompt=prompt)

    @views.post("/prompts/<id:prompt_id>/archive")
    def archive(prompt_id: int) -> Response:
        try:
            with frame.writing() as asked:
                use_cases.archive(asked.session, asked.actor, prompt_id, {}, asked.now)
        except Conflict as refusal:
            flash(f"Nothing was done: {refusal}.")
        else:
            flash("Archived. It can no longer be chosen.")
        return go_to(f"/prompts/{prompt_id}")

    return views

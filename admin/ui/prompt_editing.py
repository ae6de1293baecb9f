"""Making and changing prompts: words that are spoken, and sound files that are played."""

from typing import Any

from flask import Blueprint, Response, flash, request

from admin import prompts as use_cases
from admin.access.gate import current_actor
from admin.errors import Conflict, FieldError, Invalid
from admin.lists import prompts as prompt_list
from admin.ui import choosing, prompt_wording
from admin.ui.forms import Form, form_of
from admin.ui.frame import Asked, Frame, go_to
from admin.views import PromptView
from prompts.recording import Recording

_TEXT = ("name", "language", "voice", "text")
_WORDS = (*_TEXT, "group_id")
_SOUND = ("name", "language", "group_id", "file")


def prompt_editing(frame: Frame) -> Blueprint:
    views = Blueprint("prompt_editing", __name__)

    def window(asked: Asked, template: str, form: Form, prompt_id: int | None = None) -> Response:
        asked.actor.require_admin()
        languages = dict(prompt_wording.LANGUAGES)
        languages.setdefault(form["language"] or "en", prompt_wording.language(form["language"] or "en"))
        said: dict[str, Any] = {
            "form": form,
            "prompt": None if prompt_id is None else _one(asked, prompt_id),
            "languages": list(languages.items()),
            "groups": choosing.group_choices(asked, chosen=form["group_id"]),
            "heard": prompt_wording.heard(form["language"], form["text"] or None),
        }
        return frame.either(asked, f"prompts/{template}.html", 200 if form.is_right else 422, **said)

    def sound() -> Recording:
        """What was uploaded, as callers will hear it. Raises `NotAllowed`, `Invalid`, `NoRoom`."""
        current_actor().require_admin()
        sent = request.files.get("file")
        upload = b"" if sent is None else sent.read()
        if not upload:
            raise Invalid(FieldError("file", "choose a sound file"))
        with frame.place():
            return use_cases.heard(upload)

    @views.get("/prompts/new", defaults={"what": "words"})
    @views.get("/prompts/upload", defaults={"what": "upload"})
    def ask_new(what: str) -> Response:
        with frame.reading() as asked:
            own = Form({"language": "en", "group_id": str(asked.actor.group_id)})
            return window(asked, what, own)

    @views.post("/prompts/preview")
    def preview() -> Response:
        form = form_of(request.form)
        with frame.reading() as asked:
            said = prompt_wording.heard(form["language"], form["text"].strip() or None)
            return frame.fragment(asked, "prompts/heard.html", heard=said)

    @views.post("/prompts/new")
    def create() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = _read(form, ("name", "language", "voice", "text")) | {
                    "group_id": form.whole("group_id")
                }
                made = use_cases.create(asked.session, asked.actor, raw, asked.now).id
        except Invalid as refusal:
            form.refuse(refusal, _WORDS)
            with frame.reading() as asked:
                return window(asked, "words", form)
        flash("The prompt is there. Campaigns can use it.")
        return go_to(f"/prompts/{made}")

    @views.post("/prompts/upload")
    def upload() -> Response:
        form = form_of(request.form)
        try:
            heard = sound()
            with frame.writing() as asked:
                raw = _read(form, ("name", "language")) | {"group_id": form.whole("group_id")}
                made = use_cases.create_recording(asked.session, asked.actor, raw, heard, asked.now).id
        except Invalid as refusal:
            form.refuse(refusal, _SOUND)
            with frame.reading() as asked:
                return window(asked, "upload", form)
        flash("The recording is there. Campaigns can use it.")
        return go_to(f"/prompts/{made}")

    @views.get("/prompts/<id:prompt_id>/edit", defaults={"what": "words"})
    @views.get("/prompts/<id:prompt_id>/sound", defaults={"what": "upload"})
    def ask_edit(prompt_id: int, what: str) -> Response:
        with frame.reading() as asked:
            prompt = _one(asked, prompt_id)
            typed = {name: getattr(prompt, name) or "" for name in _TEXT}
            return window(asked, what, Form(typed), prompt_id)

    @views.post("/prompts/<id:prompt_id>/edit")
    def revise(prompt_id: int) -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = _read(form, _TEXT)
                use_cases.revise(asked.session, asked.actor, prompt_id, raw, asked.now)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, _WORDS)
            with frame.reading() as asked:
                return window(asked, "words", form, prompt_id)
        flash("Saved. The next caller already hears it.")
        return go_to(f"/prompts/{prompt_id}")

    @views.post("/prompts/<id:prompt_id>/sound")
    def record_again(prompt_id: int) -> Response:
        form = form_of(request.form)
        try:
            heard = sound()
            with frame.writing() as asked:
                use_cases.record_again(asked.session, asked.actor, prompt_id, heard, asked.now)
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal, _SOUND)
            with frame.reading() as asked:
                return window(asked, "upload", form, prompt_id)
        flash("Saved. The next caller already hears the recording.")
        return go_to(f"/prompts/{prompt_id}")

    return views


def _one(asked: Asked, prompt_id: int) -> PromptView:
    return prompt_list.one(asked.session, asked.actor, prompt_id, asked.now)


def _read(form: Form, names: tuple[str, ...]) -> dict[str, object]:
    """The fields that were shown, as the use cases read them; empty ones are the standard's."""
    optional = {"voice", "text"}
    return {
        name: (form[name].strip() or None) if name in optional else form[name]
        for name in names
        if name in form.typed
    }

"""`/api/v1/prompts`."""

from typing import Any

from admin import prompts as use_cases
from admin.access.actor import Actor
from admin.api.operations import Asked, File, Resource
from admin.drafts import whole
from admin.errors import FieldError, Invalid, NotThere
from admin.lists import prompts as lists
from admin.lists.prompts import PromptFilters
from admin.prompts import NewPrompt, NewRecording, PromptChanges
from admin.views import Page, PromptView
from models.prompt import EXTENSIONS, audio_by_digest

prompts = Resource(
    "prompts",
    "Prompts",
    "What callers of an ended campaign hear: a text that is spoken, or a recording that is played. "
    "Admins manage them.",
)

PROMPT: dict[str, Any] = {
    "id": 5,
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "name": "We have moved",
    "kind": "text",
    "language": "en",
    "voice": None,
    "text": "This number has ended. Please call {business_number}.",
    "digest": None,
    "seconds": None,
    "audio_path": None,
    "campaigns": 1,
    "archived_at": None,
}
RECORDING: dict[str, Any] = PROMPT | {
    "kind": "recording",
    "text": None,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "seconds": 7.5,
    "audio_path": "/prompts/5/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.wav",
}
_FILE = "file"


@prompts.get(
    "",
    query=PromptFilters,
    answers=Page[PromptView],
    example={"items": [PROMPT], "next_cursor": None, "total": None},
)
def list_prompts(asked: Asked) -> Page[PromptView]:
    """List prompts."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@prompts.get("/<id:prompt_id>", answers=PromptView, example=PROMPT)
def show_prompt(asked: Asked, prompt_id: int) -> PromptView:
    """Show a prompt."""
    return lists.one(asked.session, asked.actor, prompt_id, asked.now)


@prompts.create(
    "",
    body=NewPrompt,
    sends={"name": "We have moved", "language": "en", "text": PROMPT["text"]},
    answers=PromptView,
    example=PROMPT,
)
def create_prompt(asked: Asked) -> PromptView:
    """Create a prompt that is spoken; without a text it is the standard wording of its language."""
    prompt = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    return show_prompt(asked, prompt.id)


def _heard(actor: Actor, sent: dict[str, Any]) -> dict[str, Any]:
    """The form with its file as a telephone carries it; who may not upload is told so before the work."""
    actor.require_admin()
    upload = sent.get(_FILE)
    if not isinstance(upload, bytes):
        raise Invalid(FieldError(_FILE, "is mandatory"))
    group = sent.get("group_id")
    group_id = whole(group) if isinstance(group, str) else None
    named = {} if group_id is None else {"group_id": group_id}
    return sent | named | {_FILE: use_cases.heard(upload)}


@prompts.create(
    "/recordings",
    body=NewRecording,
    upload=_FILE,
    prepare=_heard,
    answers=PromptView,
    example=RECORDING,
)
def create_recording(asked: Asked) -> PromptView:
    """Create a prompt that is played, from a sound file.

    WAV, MP3, Ogg and FLAC files work, up to 8 MB and 5 minutes.
    """
    said, sound = _parted(asked)
    prompt = use_cases.create_recording(asked.session, asked.actor, said, sound, asked.now)
    return show_prompt(asked, prompt.id)


@prompts.patch(
    "/<id:prompt_id>",
    body=PromptChanges,
    sends={"text": "Please call {business_number}."},
    answers=PromptView,
    example=PROMPT | {"text": "Please call {business_number}."},
)
def revise_prompt(asked: Asked, prompt_id: int) -> PromptView:
    """Change a prompt; the next caller hears it."""
    use_cases.revise(asked.session, asked.actor, prompt_id, asked.raw, asked.now)
    return show_prompt(asked, prompt_id)


@prompts.get("/<id:prompt_id>/audio", answers="audio/wav")
def download_recording(asked: Asked, prompt_id: int) -> File:
    """Download a recording as callers hear it."""
    digest = show_prompt(asked, prompt_id).digest
    audio = None if digest is None else audio_by_digest(asked.session, digest)
    if audio is None:
        raise NotThere("this prompt has no recording")
    return File(audio.data, audio.media_type, f"prompt-{prompt_id}.{EXTENSIONS[audio.media_type]}")


@prompts.put("/<id:prompt_id>/audio", upload=_FILE, prepare=_heard, answers=PromptView, example=RECORDING)
def record_again(asked: Asked, prompt_id: int) -> PromptView:
    """Replace what is played, or what was spoken, by a sound file."""
    _, sound = _parted(asked)
    use_cases.record_again(asked.session, asked.actor, prompt_id, sound, asked.now)
    return show_prompt(asked, prompt_id)


@prompts.delete("/<id:prompt_id>")
def archive_prompt(asked: Asked, prompt_id: int) -> None:
    """Archive a prompt that no campaign uses."""
    use_cases.archive(asked.session, asked.actor, prompt_id, asked.raw, asked.now)


def _parted(asked: Asked) -> tuple[dict[str, Any], Any]:
    said = dict(asked.raw)
    return said, said.pop(_FILE)

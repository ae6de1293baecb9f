"""Prompts: texts and recordings for callers of ended campaigns."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Line, Name, Reading
from admin.errors import Conflict, FieldError, Invalid
from admin.number_filling import spoken
from admin.references import named_group, prompt_is_used, visible_prompt
from models.prompt import Prompt, PromptKind, store_recording
from prompts import phrases, referral
from prompts.recording import Recording, RecordingRefused, convert
from prompts.saying import voice_and_language
from prompts.speech import PROMPT_TEXT_LIMIT

_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


class PromptFields(Draft):
    """What a prompt can be given; `voice` and `text` are for texts."""

    name: Name | None = None
    language: Annotated[Line, Field(description="two letters; there is wording in en, es, fr and de")] = "en"
    voice: Annotated[Line | None, Field(description="such as Polly.Joanna; null: the language's own")] = None
    text: Annotated[
        str | None,
        Field(
            description="null: the standard wording of the language. `{business_name}` and "
            "`{business_number}` are filled in from the campaign, the number digit by digit"
        ),
    ] = None


class NewPrompt(PromptFields):
    """A text to be spoken."""

    name: Name
    group_id: Annotated[Id | None, Field(description="the actor's own, unless named")] = None


class NewRecording(Draft):
    """What is said about an uploaded recording."""

    name: Name
    language: Line = "en"
    group_id: Annotated[Id | None, Field(description="the actor's own, unless named")] = None


class PromptChanges(PromptFields):
    """What is sent is changed, and heard at the next call."""


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Prompt:  # noqa: ARG001
    """Create a text from a `NewPrompt`; raise `NotAllowed`, `Invalid`."""
    actor.require_admin()
    reading = Reading()
    draft = reading.read(NewPrompt, raw)
    group = named_group(session, actor, draft.group_id, reading)
    fields = _checked(draft.sent, draft.language, reading)
    reading.finish()
    fields["group_id"] = actor.group_id if group is None else group.id
    return _added(session, Prompt(kind=PromptKind.TEXT, **fields))


def heard(upload: bytes) -> Recording:
    """An uploaded sound file as a telephone carries it; raise `Invalid` with the field `file`.

    Takes seconds of work for a long file: a door does it before it opens a transaction.
    """
    try:
        return convert(upload)
    except RecordingRefused as error:
        raise Invalid(FieldError("file", str(error))) from None


def create_recording(session: Session, actor: Actor, raw: object, sound: Recording, now: datetime) -> Prompt:
    """Create a prompt from a `NewRecording` and what `heard` made of its file; raise as `create` does."""
    actor.require_admin()
    reading = Reading()
    draft = reading.read(NewRecording, raw)
    group = named_group(session, actor, draft.group_id, reading)
    fields = _checked(draft.sent, draft.language, reading)
    reading.finish()
    fields["group_id"] = actor.group_id if group is None else group.id
    fields["digest"] = _kept(session, sound, now)
    return _added(session, Prompt(kind=PromptKind.RECORDING, **fields))


def revise(session: Session, actor: Actor, prompt_id: int, raw: object, now: datetime) -> Prompt:  # noqa: ARG001
    """Change what a `PromptChanges` names; raise `NotThere`, `NotAllowed`, `Invalid`, `Conflict`."""
    prompt = _opened(session, actor, prompt_id)
    reading = Reading()
    draft = reading.read(PromptChanges, raw)
    if draft.sent.get("name", "") is None:
        reading.add("name", "is mandatory")
    if prompt.kind is PromptKind.RECORDING:
        for name in ("voice", "text"):
            if draft.sent.get(name) is not None:
                reading.add(name, "is for texts; this prompt is a recording")
    fields = _checked(draft.sent, draft.sent.get("language", prompt.language), reading)
    reading.finish()
    for name, value in fields.items():
        setattr(prompt, name, value)
    session.flush()
    return prompt


def record_again(session: Session, actor: Actor, prompt_id: int, sound: Recording, now: datetime) -> Prompt:
    """Replace the sound of a recording, or of a text, by what `heard` gave; raise as `revise` does."""
    prompt = _opened(session, actor, prompt_id)
    prompt.digest = _kept(session, sound, now)
    prompt.kind, prompt.text, prompt.voice = PromptKind.RECORDING, None, None
    session.flush()
    return prompt


def archive(session: Session, actor: Actor, prompt_id: int, raw: object, now: datetime) -> Prompt:  # noqa: ARG001
    """Put a prompt away; raise `Conflict` while a campaign uses it, and as `revise` does."""
    prompt = _opened(session, actor, prompt_id)
    if prompt_is_used(session, prompt.id):
        raise Conflict("archived_at", "a campaign uses this prompt; give it another one first")
    prompt.archived_at = now
    session.flush()
    return prompt


def _opened(session: Session, actor: Actor, prompt_id: int) -> Prompt:
    prompt = visible_prompt(session, actor, prompt_id)
    actor.require_admin()
    if prompt.archived_at is not None:
        raise Conflict("archived_at", "the prompt is archived and stays as it is")
    return prompt


def _checked(sent: dict[str, Any], language: str, reading: Reading) -> dict[str, Any]:
    """What was sent, with an error for everything that cannot be said to a caller."""
    fields = {name: value for name, value in sent.items() if name != "group_id"}
    if not _LANGUAGE.fullmatch(language) or language[:2] not in phrases.LANGUAGES:
        reading.add("language", f"there is wording in {', '.join(phrases.LANGUAGES)}; use one of these")
    if fields.get("voice"):
        if voice_and_language(fields["voice"], language)[0] is None:
            reading.add("voice", "is no voice that the carrier knows, such as Polly.Joanna")
    elif "voice" in fields:
        fields["voice"] = None
    if fields.get("text") is not None:
        fields["text"] = spoken(fields["text"], "text", reading, PROMPT_TEXT_LIMIT) or None
        for place in referral.unknown_places(fields["text"] or ""):
            known = " and ".join(f"{{{name}}}" for name in referral.PLACES)
            reading.add("text", f"{{{place}}} stands for nothing; {known} are filled in")
    return fields


def _kept(session: Session, sound: Recording, now: datetime) -> str:
    audio = store_recording(session, sound.data, media_type=sound.media_type, seconds=sound.seconds, at=now)
    return audio.digest


def _added(session: Session, prompt: Prompt) -> Prompt:
    session.add(prompt)
    session.flush()
    return prompt

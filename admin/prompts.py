"""Prompts: texts and recordings for callers of ended campaigns."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Line, Name
from models.prompt import Prompt


class PromptFields(Draft):
    """What a prompt can be given; `voice` and `text` are for texts."""

    name: Name | None = None
    language: Annotated[Line, Field(description="two letters; there is wording in en, es, fr and de")] = "en"
    voice: Annotated[Line | None, Field(description="such as Polly.Joanna; null: the language's own")] = None
    text: Annotated[str | None, Field(description="null: the standard wording of the language")] = None


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


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Prompt:
    """Create a text from a `NewPrompt`; raise `NotAllowed`, `Invalid`."""
    raise NotImplementedError


def create_recording(session: Session, actor: Actor, raw: object, upload: bytes, now: datetime) -> Prompt:
    """Create a prompt from a `NewRecording` and its sound file; raise `NotAllowed`, `Invalid`."""
    raise NotImplementedError


def revise(session: Session, actor: Actor, prompt_id: int, raw: object, now: datetime) -> Prompt:
    """Change what a `PromptChanges` names; raise `NotThere`, `NotAllowed`, `Invalid`."""
    raise NotImplementedError


def record_again(session: Session, actor: Actor, prompt_id: int, upload: bytes, now: datetime) -> Prompt:
    """Replace the sound of a recording; raise as `revise` does."""
    raise NotImplementedError


def archive(session: Session, actor: Actor, prompt_id: int, raw: object, now: datetime) -> Prompt:
    """Put a prompt away; raise `Conflict` while a campaign uses it, and as `revise` does."""
    raise NotImplementedError

"""The list of prompts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Line
from admin.lists.listing import Filters
from admin.views import Page, PromptView
from models.prompt import PromptKind


class PromptFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    kind: PromptKind | None = None
    language: Annotated[Line | None, Field(description="two letters")] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    archived: bool = False
    sort: Literal["name", "-name"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[PromptView]:
    """The prompts that `raw` (a `PromptFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, prompt_id: int, now: datetime) -> PromptView:
    """Raise `NotThere`."""
    raise NotImplementedError

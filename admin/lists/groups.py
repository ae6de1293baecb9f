"""The list of groups."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Line
from admin.lists.listing import Filters
from admin.views import GroupView, Page


class GroupFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name or external ID")] = None
    external_id: Annotated[Line | None, Field(description="exactly this external ID")] = None
    parent_id: Annotated[Id | None, Field(description="directly below this group")] = None
    plan_id: Annotated[Id | None, Field(description="has this plan as its own")] = None
    archived: bool = False
    sort: Literal["name", "-name", "external_id", "-external_id"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[GroupView]:
    """The groups that `raw` (a `GroupFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, group_id: int, now: datetime) -> GroupView:
    """Raise `NotThere`."""
    raise NotImplementedError

"""The list of plans."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Line
from admin.lists.listing import Filters
from admin.views import Page, PlanView


class PlanFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    sort: Literal["name", "-name"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[PlanView]:
    """The plans that `raw` (a `PlanFilters`) asks for; raise `Invalid`, `NotAllowed`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, plan_id: int, now: datetime) -> PlanView:
    """Raise `NotThere`, `NotAllowed`."""
    raise NotImplementedError

"""The list of users."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Line
from admin.lists.listing import Filters
from admin.views import Page, UserView
from models.user import Role, UserStatus


class UserFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name or address")] = None
    role: Role | None = None
    status: UserStatus | None = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    sort: Literal["name", "-name", "email", "-email", "created_at", "-created_at"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[UserView]:
    """The users that `raw` (a `UserFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, user_id: int, now: datetime) -> UserView:
    """Raise `NotThere`."""
    raise NotImplementedError

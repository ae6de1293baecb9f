"""The list of users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_user
from admin.drafts import Id, Line, Reading
from admin.errors import NotThere
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    in_order,
    read_page,
)
from admin.lists.visible import visible
from admin.lists.words import words_condition
from admin.views import Page, UserView
from models.group import Group
from models.user import Role, User, UserStatus


class UserFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name or address")] = None
    role: Role | None = None
    status: UserStatus | None = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    sort: Literal["name", "-name", "email", "-email", "created_at", "-created_at"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[UserView]:  # noqa: ARG001
    """The users that `raw` (a `UserFilters`) asks for; raise `Invalid`.

    Who is no admin sees himself only; owners' names stand beside their campaigns.
    """
    reading = Reading()
    filters = reading.read(UserFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    himself = [] if actor.is_admin else [User.id == actor.user_id]
    listing = Listing(
        User.id,
        {
            "name": Key(alphabetical(session, User.name), str),
            "email": Key(alphabetical(session, User.email), str),
            "created_at": Key(User.created_at, datetime),
        },
        [*seen.among(User.group_id), *_conditions(session, filters), *himself],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def one(session: Session, actor: Actor, user_id: int, now: datetime) -> UserView:  # noqa: ARG001
    """Raise `NotThere`."""
    if not sees_user(session, actor, session.get(User, user_id)):
        raise NotThere("there is no such user")
    return views(session, [user_id])[0]


def views(session: Session, ids: Sequence[int]) -> list[UserView]:
    """What is shown of users, in the order of `ids`; one query, however many they are."""
    rows = session.execute(
        select(User, Group.name).join(Group, Group.id == User.group_id).where(User.id.in_(ids))
    )
    by_id = {
        user.id: UserView.model_construct(
            **{name: getattr(user, name) for name in _STORED},
            group_name=group_name,
            second_factor=user.totp_confirmed_at is not None,
        )
        for user, group_name in rows
    }
    return in_order(ids, by_id)


_STORED = tuple(name for name in UserView.model_fields if name in User.__table__.columns)


def _conditions(session: Session, filters: UserFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.q:
        found.append(words_condition(session, User.id, [User.name, User.email], filters.q))
    if filters.role is not None:
        found.append(User.role == filters.role)
    if filters.status is not None:
        found.append(User.status == filters.status)
    return found

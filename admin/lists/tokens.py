"""The list of a user's API tokens, the newest first."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_user
from admin.drafts import LARGEST_ID, Id, Reading
from admin.errors import NotThere
from admin.lists.listing import Filters
from admin.views import Page, TokenView
from models.api_token import ApiToken
from models.user import User


class TokenFilters(Filters):
    user_id: Annotated[Id | None, Field(description="whose tokens; your own, unless named")] = None


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[TokenView]:  # noqa: ARG001 - as all lists
    """The tokens that `raw` (a `TokenFilters`) asks for; raise `Invalid`, `NotThere`."""
    reading = Reading()
    filters = reading.read(TokenFilters, raw)
    if filters.cursor is not None and not _is_id(filters.cursor):
        reading.add("cursor", "is none of ours; take `next_cursor` of the page before")
    reading.finish()
    user_id = filters.user_id or actor.user_id
    if not sees_user(session, actor, session.get(User, user_id)):
        raise NotThere("there is no such user")
    own = ApiToken.user_id == user_id
    wanted = select(ApiToken).where(own).order_by(ApiToken.id.desc()).limit(filters.limit + 1)
    if filters.cursor is not None:
        wanted = wanted.where(ApiToken.id < int(filters.cursor))
    counted = select(ApiToken.id).where(own).limit(filters.count_to)
    rows = session.scalars(wanted).all()
    shown = rows[: filters.limit]
    return Page(
        items=[_view(row) for row in shown],
        next_cursor=str(shown[-1].id) if len(rows) > len(shown) else None,
        total=session.scalar(select(func.count()).select_from(counted.subquery())) if filters.count else None,
    )


def one(session: Session, actor: Actor, token_id: int, now: datetime) -> TokenView:  # noqa: ARG001 - as all lists
    """Raise `NotThere`."""
    token = session.get(ApiToken, token_id)
    if token is None or not sees_user(session, actor, session.get(User, token.user_id)):
        raise NotThere("there is no such token")
    return _view(token)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= LARGEST_ID


def _view(token: ApiToken) -> TokenView:
    return TokenView(
        id=token.id,
        user_id=token.user_id,
        name=token.name,
        scope=token.scope,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )

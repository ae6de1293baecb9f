"""Saved filters: how a user wants to see a page at every visit, until he resets it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Reading, line
from admin.errors import Conflict
from admin.views import SavedFilterView
from models.saved_filter import SavedFilter

FilteredPage = Literal[
    "campaigns", "tracking-numbers", "calls", "reports", "prompts", "groups", "users", "blocks", "audit"
]


Query = Annotated[str, Field(max_length=2000), BeforeValidator(line)]


class FilterToSave(Draft):
    """The filters of a page, as the query that its address would hold."""

    page: FilteredPage
    query: Query


def save(session: Session, actor: Actor, raw: object, now: datetime) -> SavedFilter:
    """Keep a `FilterToSave` in place of what was kept for the page.

    Raise `Invalid`, `NotAllowed`, `Conflict` where another window of the same user was faster.
    """
    actor.require_writing()
    reading = Reading()
    draft = reading.read(FilterToSave, raw)
    reading.finish()
    kept = _kept(session, actor, draft.page)
    if kept is None:
        kept = SavedFilter(user_id=actor.user_id, page=draft.page, created_at=now)
    try:
        with session.begin_nested():
            kept.query, kept.updated_at = draft.query, now
            session.add(kept)
    except IntegrityError:
        raise Conflict("page", "another filter was saved at the same moment; save again") from None
    return kept


def reset(session: Session, actor: Actor, page: str) -> None:
    """Forget what was kept for the page, if anything was; raise `NotAllowed`."""
    actor.require_writing()
    kept = _kept(session, actor, page)
    if kept is not None:
        session.delete(kept)
        session.flush()


def saved(session: Session, actor: Actor) -> list[SavedFilterView]:
    """All that the actor has kept, by page."""
    own = select(SavedFilter).where(SavedFilter.user_id == actor.user_id).order_by(SavedFilter.page)
    return [view(kept) for kept in session.scalars(own)]


def saved_for(session: Session, actor: Actor, page: str) -> str | None:
    """The query that the actor has kept for a page."""
    kept = _kept(session, actor, page)
    return None if kept is None else kept.query


def view(kept: SavedFilter) -> SavedFilterView:
    return SavedFilterView(page=kept.page, query=kept.query, updated_at=kept.updated_at)


def _kept(session: Session, actor: Actor, page: str) -> SavedFilter | None:
    own = select(SavedFilter).where(SavedFilter.user_id == actor.user_id, SavedFilter.page == page)
    return session.scalar(own)

"""Saved filters: how a user wants to see a page at every visit, until he resets it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Line
from admin.views import SavedFilterView
from models.saved_filter import SavedFilter

FilteredPage = Literal[
    "campaigns", "tracking-numbers", "calls", "reports", "prompts", "groups", "users", "audit"
]


class FilterToSave(Draft):
    """The filters of a page, as the query that its address would hold."""

    page: FilteredPage
    query: Annotated[Line, Field(max_length=2000)]


def save(session: Session, actor: Actor, raw: object, now: datetime) -> SavedFilter:
    """Keep a `FilterToSave` in place of what was kept for the page; raise `Invalid`, `NotAllowed`."""
    raise NotImplementedError


def reset(session: Session, actor: Actor, page: str) -> None:
    """Forget what was kept for the page, if anything was; raise `NotAllowed`."""
    raise NotImplementedError


def saved(session: Session, actor: Actor) -> list[SavedFilterView]:
    """All that the actor has kept, by page."""
    raise NotImplementedError


def saved_for(session: Session, actor: Actor, page: str) -> str | None:
    """The query that the actor has kept for a page."""
    raise NotImplementedError

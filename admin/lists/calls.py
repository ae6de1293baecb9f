"""The call log as a list."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Line
from admin.lists.listing import Filters
from admin.views import CallDetail, CallView, Page

Decision = Literal["connect", "referral", "reject", "apology"]


class CallFilters(Filters):
    started_from: Instant | None = None
    started_before: Instant | None = None
    campaign_id: Id | None = None
    number: Annotated[
        Line | None, Field(description="digits with which the tracking number begins or ends; 3 or more")
    ] = None
    caller: Annotated[Line | None, Field(description="digits with which the caller begins or ends")] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    decision: Annotated[list[Decision], Field(default_factory=list)]
    reason: Annotated[list[Line], Field(default_factory=list)]
    disposition: Annotated[list[Line], Field(default_factory=list)]
    duration_from: Annotated[int | None, Field(ge=0, le=10**6, description="seconds")] = None
    duration_to: Annotated[int | None, Field(ge=0, le=10**6, description="seconds")] = None
    sort: Literal["started_at", "-started_at", "duration_seconds", "-duration_seconds"] = "-started_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[CallView]:
    """The calls that `raw` (a `CallFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, call_id: int, now: datetime) -> CallDetail:
    """Raise `NotThere`."""
    raise NotImplementedError

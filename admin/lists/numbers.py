"""The list of tracking numbers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Line
from admin.lists.listing import Filters
from admin.views import NumberView, Page
from models.tracking_number import NumberStatus
from routing.route import CallerId


class NumberFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    number: Annotated[
        Line | None, Field(description="digits with which the number begins or ends; 3 or more")
    ] = None
    campaign_id: Id | None = None
    assigned: Annotated[bool | None, Field(description="whether it is on a campaign")] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    status: Annotated[
        NumberStatus | None, Field(description="released ones are left out unless asked for")
    ] = None
    record_calls: bool | None = None
    caller_id: CallerId | None = None
    destination: Annotated[Line | None, Field(description="exactly this destination of its own")] = None
    created_from: Instant | None = None
    created_before: Instant | None = None
    sort: Literal["number", "-number", "name", "-name", "created_at", "-created_at"] = "number"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[NumberView]:
    """The numbers that `raw` (a `NumberFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, number_id: int, now: datetime) -> NumberView:
    """Raise `NotThere`."""
    raise NotImplementedError

"""The list of campaigns."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Line
from admin.lists.listing import Filters
from admin.views import CampaignDetail, CampaignView, Page
from routing.policy import State
from routing.route import EndOfCampaign


class CampaignFilters(Filters):
    """Filters are joined by "and"; several states or owners by "or"."""

    q: Annotated[Line | None, Field(description="beginnings of words of the name or external ID")] = None
    external_id: Annotated[Line | None, Field(description="exactly this external ID")] = None
    active: bool | None = None
    state: Annotated[
        list[State], Field(default_factory=list, description="archived ones are left out unless asked for")
    ]
    owner_id: Annotated[list[Id], Field(default_factory=list)]
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    end_of_campaign: EndOfCampaign | None = None
    starts_from: Instant | None = None
    starts_before: Instant | None = None
    ends_from: Instant | None = None
    ends_before: Annotated[Instant | None, Field(description="campaigns without an end are left out")] = None
    sort: Literal[
        "name",
        "-name",
        "external_id",
        "-external_id",
        "owner",
        "-owner",
        "starts_at",
        "-starts_at",
        "ends_at",
        "-ends_at",
        "created_at",
        "-created_at",
        "updated_at",
        "-updated_at",
    ] = "-created_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[CampaignView]:
    """The campaigns that `raw` (a `CampaignFilters`) asks for; raise `Invalid`, `NotThere`."""
    raise NotImplementedError


def one(session: Session, actor: Actor, campaign_id: int, now: datetime) -> CampaignDetail:
    """Raise `NotThere`."""
    raise NotImplementedError

"""The list of campaigns."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import eq, ge, lt
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, join, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.consequences import consequences
from admin.drafts import Id, Instant, Line, Reading
from admin.lists.campaign_states import holds_in
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    compared,
    in_order,
    or_blank,
    read_page,
    unindexed,
)
from admin.lists.visible import visible
from admin.lists.words import words_condition
from admin.references import visible_campaign
from admin.views import CampaignDetail, CampaignView, Page
from models.call import Call
from models.campaign import Campaign
from models.group import Group
from models.routes import campaign_facts
from models.tracking_number import NumberStatus, TrackingNumber
from models.user import User
from routing.policy import REFERRAL_WINDOW, State, state_of
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
    prompt_id: Annotated[Id | None, Field(description="with this referral prompt")] = None
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


_CALLS_OF = timedelta(days=30)
_NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for no end where campaigns are sorted by it."""


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[CampaignView]:
    """The campaigns that `raw` (a `CampaignFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(CampaignFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    sorts_by_owner = filters.sort.endswith("owner")
    listing = Listing(
        Campaign.id,
        _keys(session, searches=bool(filters.q)),
        [*seen.among(Campaign.group_id), *_conditions(session, filters, now)],
        join(Campaign, User, User.id == Campaign.owner_id) if sorts_by_owner else None,
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids, now))


def one(session: Session, actor: Actor, campaign_id: int, now: datetime) -> CampaignDetail:
    """Raise `NotThere`."""
    visible_campaign(session, actor, campaign_id)
    facts = campaign_facts(session, [campaign_id])[campaign_id]
    [shown] = views(session, [campaign_id], now)
    return CampaignDetail(**dict(shown), consequences=consequences(facts, now))


def views(session: Session, ids: Sequence[int], now: datetime) -> list[CampaignView]:
    """What is shown of campaigns, in the order of `ids`; four queries, however many they are."""
    rows = session.execute(
        select(Campaign, Group.name, User.name)
        .join(Group, Group.id == Campaign.group_id)
        .join(User, User.id == Campaign.owner_id)
        .where(Campaign.id.in_(ids))
    )
    facts = campaign_facts(session, ids)
    numbers = _numbers_of(session, ids)
    calls = _calls_of(session, ids, now - _CALLS_OF)
    by_id = {}
    for campaign, group_name, owner_name in rows:
        own = facts[campaign.id]
        state = state_of(own, now)
        stored = {name: getattr(campaign, name) for name in _STORED}
        by_id[campaign.id] = CampaignView.model_construct(
            **stored,
            group_name=group_name,
            owner_name=owner_name,
            active=state is State.LIVE,
            state=state,
            referral_ends_at=_referral_end(campaign) if own.referral_included else None,
            referral_included=own.referral_included,
            numbers=numbers.get(campaign.id, 0),
            calls_30_days=calls.get(campaign.id, 0),
        )
    return in_order(ids, by_id)


_STORED = tuple(name for name in CampaignView.model_fields if name in Campaign.__table__.columns)


def _keys(session: Session, *, searches: bool) -> dict[str, Key]:
    name = Key(alphabetical(session, Campaign.name), str)
    return {
        "name": unindexed(name) if searches else name,
        "external_id": Key(alphabetical(session, or_blank(Campaign.external_id)), str),
        "owner": Key(alphabetical(session, User.name), str),
        "starts_at": Key(Campaign.starts_at, datetime),
        "ends_at": Key(func.coalesce(Campaign.ends_at, _NEVER), datetime),
        "created_at": Key(Campaign.created_at, datetime),
        "updated_at": Key(Campaign.updated_at, datetime),
    }


def _conditions(session: Session, filters: CampaignFilters, now: datetime) -> list[ColumnElement[bool]]:
    states = set(filters.state or State)
    if not filters.state:
        states -= {State.ARCHIVED}
    if filters.active is not None:
        states = states & {State.LIVE} if filters.active else states - {State.LIVE}
    found = [holds_in(states, now)]
    if filters.q:
        found.append(words_condition(session, Campaign.id, [Campaign.name, Campaign.external_id], filters.q))
    if filters.owner_id:
        found.append(Campaign.owner_id.in_(filters.owner_id))
    return found + compared(
        (Campaign.external_id, eq, filters.external_id),
        (Campaign.prompt_id, eq, filters.prompt_id),
        (Campaign.end_of_campaign, eq, filters.end_of_campaign),
        (Campaign.starts_at, ge, filters.starts_from),
        (Campaign.starts_at, lt, filters.starts_before),
        (Campaign.ends_at, ge, filters.ends_from),
        (Campaign.ends_at, lt, filters.ends_before),
    )


def _numbers_of(session: Session, ids: Sequence[int]) -> dict[int | None, int]:
    held = select(TrackingNumber.campaign_id, func.count()).where(
        TrackingNumber.campaign_id.in_(ids), TrackingNumber.status == NumberStatus.ACTIVE
    )
    return {row[0]: row[1] for row in session.execute(held.group_by(TrackingNumber.campaign_id))}


def _calls_of(session: Session, ids: Sequence[int], since: datetime) -> dict[int | None, int]:
    recent = select(Call.campaign_id, func.count()).where(Call.campaign_id.in_(ids), Call.started_at >= since)
    return {row[0]: row[1] for row in session.execute(recent.group_by(Call.campaign_id))}


def _referral_end(campaign: Campaign) -> datetime | None:
    if campaign.end_of_campaign is not EndOfCampaign.REFERRAL or campaign.ends_at is None:
        return None
    return min(campaign.ends_at, _NEVER - REFERRAL_WINDOW) + REFERRAL_WINDOW

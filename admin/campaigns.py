"""Campaigns: created, revised, ended, extended, paused, resumed, archived, given to another owner."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Instant, Line, Name, Phone
from models.campaign import Campaign
from routing.route import EndOfCampaign

Ending = Annotated[EndOfCampaign, Field(strict=False)]


class CampaignFields(Draft):
    """What a campaign can be given."""

    name: Name | None = None
    external_id: Line | None = None
    group_id: Id | None = None
    owner_id: Annotated[Id | None, Field(description="whoever creates it, unless named")] = None
    enabled: bool = True
    starts_at: Annotated[Instant | None, Field(description="now, unless given")] = None
    ends_at: Annotated[
        Instant | None, Field(description="the first instant at which it is over; null: never")
    ] = None
    end_of_campaign: Ending = EndOfCampaign.NORMAL
    business_name: Line = ""
    business_number: Phone | None = None
    prompt_id: Id | None = None
    destination: Phone | None = None


class NewCampaign(CampaignFields):
    """A campaign to be created; only the name is mandatory."""

    name: Name


class CampaignChanges(CampaignFields):
    """What is sent is changed. `revision` is the one that was read; with it nothing newer is overwritten."""

    revision: Annotated[int | None, Field(ge=1)] = None


class Extension(Draft):
    """A later end; null: never."""

    ends_at: Instant | None
    revision: Annotated[int | None, Field(ge=1)] = None


class NewOwner(Draft):
    owner_id: Id
    revision: Annotated[int | None, Field(ge=1)] = None


class Act(Draft):
    """An act that needs no more than, perhaps, the revision that was read."""

    revision: Annotated[int | None, Field(ge=1)] = None


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Campaign:
    """Create a campaign from a `NewCampaign`; raise `Invalid`, `NotAllowed`."""
    raise NotImplementedError


def revise(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Change what a `CampaignChanges` names; raise `NotThere`, `NotAllowed`, `Stale`, `Invalid`."""
    raise NotImplementedError


def end_now(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """End a campaign at this instant (`raw`: `Act`); raise as `revise` does."""
    raise NotImplementedError


def extend(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Move the end of a campaign to later (`raw`: `Extension`); raise as `revise` does."""
    raise NotImplementedError


def pause(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Switch a campaign off by hand (`raw`: `Act`); raise as `revise` does."""
    raise NotImplementedError


def resume(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Switch a campaign on again (`raw`: `Act`); raise as `revise` does."""
    raise NotImplementedError


def archive(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Put a campaign away (`raw`: `Act`); its numbers stay with it and reject. Raise as `revise` does."""
    raise NotImplementedError


def change_owner(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Give a campaign to another owner (`raw`: `NewOwner`), as admins may; raise as `revise` does."""
    raise NotImplementedError

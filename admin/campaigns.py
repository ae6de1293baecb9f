"""Campaigns: created, revised, ended, extended, paused, resumed, archived, given to another owner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import campaign_rules
from admin.access.actor import Actor
from admin.changing import changing, check_revision
from admin.drafts import Draft, Id, Instant, Line, Name, Phone, Reading
from admin.errors import Conflict, NotAllowed
from admin.references import visible_campaign
from models.campaign import Campaign
from models.tracking_number import TrackingNumber
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


_D = TypeVar("_D", bound=Draft)
_NEVER_NULL = frozenset({"name", "group_id", "owner_id", "starts_at"})


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Campaign:
    """Create a campaign from a `NewCampaign`; raise `Invalid`, `NotAllowed`."""
    actor.require_writing()
    reading = Reading()
    draft = reading.read(NewCampaign, raw)
    fields = {name: getattr(draft, name, None) for name in NewCampaign.model_fields} | {
        "external_id": draft.external_id or None,
        "group_id": draft.group_id or actor.group_id,
        "owner_id": draft.owner_id or actor.user_id,
        "starts_at": draft.starts_at or now,
    }
    if not actor.is_admin and fields["owner_id"] != actor.user_id:
        raise NotAllowed("only an admin may name another owner")
    campaign_rules.check(session, actor, fields, set(fields), reading)
    reading.finish()
    campaign = Campaign()
    with changing(session, campaign):
        _set(campaign, fields)
        session.add(campaign)
    return campaign


def revise(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:  # noqa: ARG001
    """Change what a `CampaignChanges` names; raise `NotThere`, `NotAllowed`, `Stale`, `Invalid`.

    A start or an end may lie in the past; what that means for callers is told by
    `consequences.consequences`.
    """
    campaign, reading, draft = _opened(session, actor, campaign_id, raw, CampaignChanges)
    changes = {name: value for name, value in draft.sent.items() if name != "revision"}
    if "external_id" in changes:
        changes["external_id"] = changes["external_id"] or None
    for name in _NEVER_NULL & changes.keys():
        if changes[name] is None:
            reading.add(name, "is mandatory")
            del changes[name]
    return _changed(session, actor, campaign, changes, reading)


def end_now(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """End a campaign at this instant (`raw`: `Act`); raise as `revise` does."""
    campaign, reading, _draft = _opened(session, actor, campaign_id, raw, Act)
    if now <= campaign.starts_at:
        reading.add("ends_at", "the campaign has not begun; archive it, or give it another start")
    elif campaign.ends_at is not None and campaign.ends_at <= now:
        reading.add("ends_at", "the campaign has ended already")
    return _changed(session, actor, campaign, {"ends_at": now}, reading)


def extend(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Move the end of a campaign to later (`raw`: `Extension`); raise as `revise` does."""
    campaign, reading, draft = _opened(session, actor, campaign_id, raw, Extension)
    ends_at = draft.sent.get("ends_at", campaign.ends_at)
    if campaign.ends_at is None:
        reading.add("ends_at", "the campaign has no end that could be later")
    elif ends_at is not None and not reading.has_error("ends_at"):
        if ends_at <= campaign.ends_at:
            reading.add("ends_at", "must be later than the end so far")
        elif ends_at <= now:
            reading.add("ends_at", "must lie in the future")
    return _changed(session, actor, campaign, {"ends_at": ends_at}, reading)


def pause(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:  # noqa: ARG001
    """Switch a campaign off by hand (`raw`: `Act`); raise as `revise` does."""
    campaign, reading, _draft = _opened(session, actor, campaign_id, raw, Act)
    return _changed(session, actor, campaign, {"enabled": False}, reading)


def resume(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:  # noqa: ARG001
    """Switch a campaign on again (`raw`: `Act`); raise as `revise` does."""
    campaign, reading, _draft = _opened(session, actor, campaign_id, raw, Act)
    return _changed(session, actor, campaign, {"enabled": True}, reading)


def archive(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:
    """Put a campaign away (`raw`: `Act`); its numbers stay with it and reject. Raise as `revise` does."""
    campaign, reading, _draft = _opened(session, actor, campaign_id, raw, Act)
    reading.finish()
    with changing(session, campaign):
        campaign.archived_at = now
    return campaign


def change_owner(session: Session, actor: Actor, campaign_id: int, raw: object, now: datetime) -> Campaign:  # noqa: ARG001
    """Give a campaign to another owner (`raw`: `NewOwner`), as admins may; raise as `revise` does."""
    campaign, reading, draft = _opened(session, actor, campaign_id, raw, NewOwner)
    return _changed(session, actor, campaign, {"owner_id": draft.sent.get("owner_id")}, reading)


def _opened(
    session: Session, actor: Actor, campaign_id: int, raw: object, model: type[_D]
) -> tuple[Campaign, Reading, _D]:
    """The campaign, if the actor manages it and read it as it is now; and what he wants of it."""
    campaign = visible_campaign(session, actor, campaign_id)
    actor.require_managing(campaign)
    reading = Reading()
    draft = reading.read(model, raw)
    check_revision(campaign, draft.sent.get("revision"))
    if campaign.archived_at is not None:
        raise Conflict("archived_at", "the campaign is archived and stays as it is")
    return campaign, reading, draft


def _changed(
    session: Session, actor: Actor, campaign: Campaign, changes: Mapping[str, Any], reading: Reading
) -> Campaign:
    before = {name: getattr(campaign, name) for name in CampaignFields.model_fields}
    changed = {name for name, value in changes.items() if value != before[name]}
    if "owner_id" in changed and not actor.is_admin:
        raise NotAllowed("only an admin may change the owner")
    if not {name for name in changed if reading.has_error(name)}:
        campaign_rules.check(session, actor, before | dict(changes), changed, reading)
    reading.finish()
    with changing(session, campaign):
        if "group_id" in changed:
            _take_numbers_along(session, campaign, changes["group_id"])
        _set(campaign, {name: changes[name] for name in changed})
    return campaign


def _take_numbers_along(session: Session, campaign: Campaign, group_id: int) -> None:
    """The numbers of a campaign belong to its group; one that is just being added waits for us."""
    session.scalars(select(Campaign.id).where(Campaign.id == campaign.id).with_for_update()).one()
    for number in session.scalars(select(TrackingNumber).where(TrackingNumber.campaign_id == campaign.id)):
        number.group_id = group_id


def _set(campaign: Campaign, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(campaign, name, value)

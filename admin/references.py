"""What a draft may refer to. What lies outside the actor's subtree does not exist."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.drafts import Reading
from admin.errors import NotThere
from models.campaign import Campaign
from models.group import Group, ancestors
from models.prompt import Prompt
from models.tracking_number import TrackingNumber, held_number
from models.user import User, UserStatus
from routing.destinations import unfit_because
from routing.numbers import PhoneNumber


def visible_campaign(session: Session, actor: Actor, campaign_id: int) -> Campaign:
    """Raise `NotThere`."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or not sees_group(session, actor, campaign.group_id):
        raise NotThere("there is no such campaign")
    return campaign


def visible_number(session: Session, actor: Actor, number_id: int) -> TrackingNumber:
    """Raise `NotThere`."""
    number = session.get(TrackingNumber, number_id)
    if number is None or not sees_group(session, actor, number.group_id):
        raise NotThere("there is no such tracking number")
    return number


def visible_prompt(session: Session, actor: Actor, prompt_id: int) -> Prompt:
    """Raise `NotThere`."""
    prompt = session.get(Prompt, prompt_id)
    if prompt is None or not sees_group(session, actor, prompt.group_id):
        raise NotThere("there is no such prompt")
    return prompt


def require_managing(session: Session, actor: Actor, campaign_id: int | None) -> None:
    """For a number on the campaign; raise `NotAllowed`."""
    if campaign_id is None:
        actor.require_admin()
    else:
        actor.require_managing(session.get_one(Campaign, campaign_id))


def named_campaign(session: Session, actor: Actor, campaign_id: int, reading: Reading) -> Campaign | None:
    """The campaign that a number shall be on, or an error; raise `NotAllowed` if he does not manage it."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or not sees_group(session, actor, campaign.group_id):
        reading.add("campaign_id", "there is no such campaign")
        return None
    actor.require_managing(campaign)
    if campaign.archived_at is not None:
        reading.add("campaign_id", "this campaign is archived; choose another")
    return campaign


def named_group(
    session: Session, actor: Actor, group_id: int | None, reading: Reading, field: str = "group_id"
) -> Group | None:
    """The group for something new, the actor's own unless named; an error at `field` if it cannot be."""
    group = session.get(Group, actor.group_id if group_id is None else group_id)
    if group is None or not sees_group(session, actor, group.id):
        reading.add(field, "there is no such group")
        return None
    if group.archived_at is not None:
        reading.add(field, "this group is archived; choose another")
        return None
    return group


def named_owner(
    session: Session, actor: Actor, owner_id: int, group_id: int, reading: Reading
) -> User | None:
    """The user who shall own a campaign of the group, or an error: it takes an active one who sees it."""
    # Locked: nobody disables him before the campaign is his.
    owner = session.get(User, owner_id, with_for_update={"read": True})
    if owner is None or not sees_group(session, actor, owner.group_id):
        reading.add("owner_id", "there is no such user")
        return None
    if owner.status is not UserStatus.ACTIVE:
        reading.add("owner_id", "this user is disabled; choose an active one")
    elif not user_sees_group(session, owner, group_id):
        reading.add("owner_id", "this user does not see the campaign's group; choose one who does")
    return owner


def user_sees_group(session: Session, user: User, group_id: int) -> bool:
    return any(group.id == user.group_id for group in ancestors(session, group_id))


def named_prompt(session: Session, actor: Actor, prompt_id: int, reading: Reading) -> Prompt | None:
    """The prompt, or an error at `prompt_id`."""
    prompt = session.get(Prompt, prompt_id)
    if prompt is None or not sees_group(session, actor, prompt.group_id):
        reading.add("prompt_id", "there is no such prompt")
        return None
    if prompt.archived_at is not None:
        reading.add("prompt_id", "this prompt is archived; choose another")
    return prompt


def check_destination(
    session: Session, destination: PhoneNumber | None, reading: Reading, field: str = "destination"
) -> None:
    """An error at `field` for a number that must not be dialled."""
    if destination is None:
        return
    reason = unfit_because(destination)
    if reason is not None:
        reading.add(field, f"is {reason}; name a number that rings at ordinary cost")
    elif held_number(session, destination) is not None:
        reading.add(field, "is a tracking number of ours; name the business's number")


def prompt_is_used(session: Session, prompt_id: int) -> bool:
    """Whether a campaign that is not archived uses the prompt."""
    using = select(Campaign.id).where(Campaign.prompt_id == prompt_id, Campaign.archived_at.is_(None))
    return session.scalar(using.limit(1)) is not None

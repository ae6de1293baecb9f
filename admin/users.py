"""Users: created with an invitation, revised, disabled and enabled again, helped back in."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.access import links, second_factor, sessions, trail
from admin.access.actor import Actor, sees_user
from admin.drafts import Draft, Id, Line, Name, Reading
from admin.errors import Conflict, NotAllowed, NotThere
from admin.references import named_group
from admin.tokens import revoke_all
from models.base import LOCKED
from models.campaign import Campaign
from models.group import Group, subtree
from models.inheritance import in_force
from models.sign_in import LinkPurpose
from models.user import Role, User, UserStatus, normal_email, user_by_email

log = structlog.get_logger()

MOST_CAMPAIGNS = 2000
"""That one request gives to a new owner."""

_LAST_ADMIN = "this is the last admin of the whole account; make another one first"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise PydanticCustomError("email", "is not an e-mail address")
    return normal_email(value)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "time_zone", "is not a time zone; write a name such as Europe/Berlin"
        ) from None
    return value


Email = Annotated[Line, AfterValidator(_email), Field(json_schema_extra={"format": "email"})]
TimeZone = Annotated[Line, AfterValidator(_time_zone), Field(examples=["Europe/Berlin"])]
"""A name of the IANA time zone database."""
RoleWord = Annotated[Role, Field(strict=False)]


class UserFields(Draft):
    """What a user can be given."""

    name: Name | None = None
    role: RoleWord = Role.STANDARD
    group_id: Annotated[
        Id | None, Field(description="whose subtree he sees; your own group, unless named")
    ] = None
    time_zone: Annotated[TimeZone | None, Field(description="the group's, unless named")] = None


class NewUser(UserFields):
    """Somebody who is to be invited."""

    email: Email
    name: Name


class UserChanges(UserFields):
    """What is sent is changed. Users change their own name and time zone, admins all of it."""


class Disabling(Draft):
    """Read from an address, where numbers are spelled as text."""

    model_config = ConfigDict(strict=False)

    new_owner_id: Annotated[Id | None, Field(description="who takes over the campaigns that he owns")] = None


def create(session: Session, actor: Actor, raw: object, now: datetime) -> tuple[User, str]:
    """Create a user from a `NewUser`; return him and the secret of his invitation.

    Raises `NotAllowed`, `Invalid`, `Conflict`.
    """
    actor.require_administration()
    reading = Reading()
    draft = reading.read(NewUser, raw)
    group_id = draft.group_id or actor.group_id
    named_group(session, actor, group_id, reading)
    reading.finish()
    user = User(
        email=draft.email,
        name=draft.name,
        role=draft.role,
        group_id=group_id,
        time_zone=draft.time_zone or in_force(session, [group_id])[group_id].time_zone,
    )
    add(session, user)
    log.info("user.created", user_id=user.id, by=actor.author.user_id, role=user.role.value)
    return user, links.make_link(session, user, LinkPurpose.INVITE, now)


def add(session: Session, user: User) -> None:
    """Write a new user; raise `Conflict` if the address is somebody's already."""
    taken = Conflict("email", "is the address of a user already")
    if user_by_email(session, user.email) is not None:
        raise taken
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise taken from error


def give_password(session: Session, user: User, password_hash: str, now: datetime) -> None:
    """Let a new user in by a password that was chosen for him, without his invitation."""
    user.password_hash, user.password_changed_at = password_hash, now
    links.revoke_links(session, user.id)
    session.flush()


def revise(session: Session, actor: Actor, user_id: int, raw: object, now: datetime) -> User:  # noqa: ARG001
    """Change what a `UserChanges` names; raise `NotThere`, `NotAllowed`, `Invalid`."""
    user = visible_user(session, actor, user_id)
    reading = Reading()
    draft = reading.read(UserChanges, raw)
    if {"role", "group_id"} & draft.model_fields_set or user.id != actor.user_id:
        _require_power_over(actor, user)
    actor.require_writing()
    sent = draft.sent
    for field in ("name", "role", "group_id", "time_zone"):
        if field in sent and sent[field] is None:
            reading.add(field, "is mandatory")
    if sent.get("group_id") is not None and draft.group_id != user.group_id:
        _check_move(session, actor, user, sent["group_id"], reading)
    stays_root_admin = (
        sent.get("role", user.role) is Role.ADMIN and sent.get("group_id", user.group_id) == user.group_id
    )
    if not stays_root_admin and is_last_admin(session, user):
        raise Conflict("role", _LAST_ADMIN)
    reading.finish()
    for field, value in sent.items():
        setattr(user, field, value)
    session.flush()
    if "role" in sent or "group_id" in sent:
        log.info("user.rights_changed", user_id=user.id, by=actor.author.user_id, role=user.role.value)
    return user


def disable(session: Session, actor: Actor, user_id: int, raw: object, now: datetime) -> User:
    """End his sessions, tokens and links at once, and give his campaigns to the new owner (`Disabling`).

    Raises `NotThere`, `NotAllowed`, and `Invalid` if he owns campaigns and no new owner is named.
    """
    user = visible_user(session, actor, user_id)
    _require_power_over(actor, user)
    reading = Reading()
    draft = reading.read(Disabling, raw)
    if is_last_admin(session, user):
        raise Conflict("status", _LAST_ADMIN)
    campaigns = session.scalars(
        select(Campaign).where(Campaign.owner_id == user.id).order_by(Campaign.id).limit(MOST_CAMPAIGNS + 1)
    ).all()
    if len(campaigns) > MOST_CAMPAIGNS:
        reading.add("new_owner_id", f"takes {MOST_CAMPAIGNS} campaigns at most; give some to others first")
    elif campaigns and draft.new_owner_id is None and not reading.has_error("new_owner_id"):
        reading.add("new_owner_id", f"is mandatory: {len(campaigns)} campaigns are his")
    elif campaigns and draft.new_owner_id is not None:
        problem = _problem_with_owner(session, actor, user, session.get(User, draft.new_owner_id), campaigns)
        if problem is not None:
            reading.add("new_owner_id", problem)
    reading.finish()
    for campaign in campaigns:
        campaign.owner_id = draft.new_owner_id or user.id
    user.status = UserStatus.DISABLED
    sessions.end_all(session, user.id)
    revoke_all(session, user.id, now)
    links.revoke_links(session, user.id)
    session.flush()
    log.info("user.disabled", user_id=user.id, by=actor.author.user_id, campaigns=len(campaigns))
    return user


def enable(session: Session, actor: Actor, user_id: int) -> User:
    """Let him sign in again; his tokens stay revoked. Raises `NotThere`, `NotAllowed`."""
    user = visible_user(session, actor, user_id)
    _require_power_over(actor, user)
    user.status = UserStatus.ACTIVE
    session.flush()
    log.info("user.enabled", user_id=user.id, by=actor.author.user_id)
    return user


def make_link(session: Session, actor: Actor, user_id: int, now: datetime) -> tuple[LinkPurpose, str]:
    """Make a link by which he sets a password; return what for, and its secret.

    It is an invitation until he has a password, then valid for an hour. Raises `NotThere`,
    `NotAllowed`, `Conflict` if he is disabled.
    """
    user = visible_user(session, actor, user_id)
    _require_power_over(actor, user)
    if user.status is not UserStatus.ACTIVE:
        raise Conflict("status", "the user is disabled; enable him first")
    purpose = LinkPurpose.INVITE if user.password_hash is None else LinkPurpose.RESET
    trail.note(session, actor.author, user, "link_made", at=now, value=purpose.value)
    log.info("user.link_made", user_id=user.id, by=actor.author.user_id, purpose=purpose.value)
    return purpose, links.make_link(session, user, purpose, now)


def remove_second_factor(session: Session, actor: Actor, user_id: int) -> User:
    """For who lost phone and recovery codes. Raises `NotThere`, `NotAllowed`."""
    user = visible_user(session, actor, user_id)
    _require_power_over(actor, user)
    second_factor.remove(session, user)
    session.flush()
    log.info("user.second_factor_removed", user_id=user.id, by=actor.author.user_id)
    return user


def visible_user(session: Session, actor: Actor, user_id: int) -> User:
    """The user, locked, if the actor sees him; raise `NotThere`."""
    user = session.get(User, user_id, with_for_update=LOCKED)
    if user is None or not sees_user(session, actor, user):
        raise NotThere("there is no such user")
    return user


def is_last_admin(session: Session, user: User) -> bool:
    """Whether without him nobody would administer the whole tree he stands at the root of."""
    group = session.get_one(Group, user.group_id)
    if user.role is not Role.ADMIN or user.status is not UserStatus.ACTIVE or group.parent_id is not None:
        return False
    # One at a time, so that two admins who demote each other at the same moment see each other.
    session.execute(select(Group.id).where(Group.id == group.id).with_for_update(key_share=True))
    active = User.group_id == group.id, User.role == Role.ADMIN, User.status == UserStatus.ACTIVE
    return session.scalars(select(User.id).where(*active).limit(2)).all() == [user.id]


def _require_power_over(actor: Actor, user: User) -> None:
    actor.require_administration()
    if user.id == actor.user_id:
        raise NotAllowed("another admin has to do this for you")


def _check_move(session: Session, actor: Actor, user: User, group_id: int, reading: Reading) -> None:
    named_group(session, actor, group_id, reading)
    left_behind = (
        select(func.count())
        .select_from(Campaign)
        .where(Campaign.owner_id == user.id, Campaign.group_id.not_in(subtree(group_id)))
    )
    if session.scalar(left_behind):
        reading.add("group_id", "is not above all campaigns that he owns; give them another owner first")


def _problem_with_owner(
    session: Session, actor: Actor, user: User, owner: User | None, campaigns: Sequence[Campaign]
) -> str | None:
    if owner is None or not sees_user(session, actor, owner):
        return "there is no such user"
    if owner.id == user.id or owner.status is not UserStatus.ACTIVE:
        return "must be another user, who is active"
    seen = set(session.scalars(subtree(owner.group_id)))
    if any(campaign.group_id not in seen for campaign in campaigns):
        return "does not see all of these campaigns"
    return None

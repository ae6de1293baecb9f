"""Groups: created, revised, moved in the tree, archived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, visible_group
from admin.drafts import Draft, Id, Line, Name, Phone, Reading, Words
from admin.errors import Conflict, NotAllowed
from admin.number_filling import RingTimeout, Shown, spoken
from admin.plans import is_of_the_whole_account
from admin.references import check_destination, named_group
from models.campaign import Campaign
from models.group import Group, GroupCycle, ancestors
from models.plan import Plan
from routing.destinations import UnknownCountry, countries_in
from routing.policy import REFERRAL_WINDOW

Countries = Annotated[
    list[Line], Field(min_length=1, max_length=250, description="ISO 3166 codes", examples=[["CA", "US"]])
]
TalkLimit = Annotated[int, Field(ge=60, le=14_400)]


class GroupFields(Draft):
    """What a group can be given; a null plan, time zone or default is the parent's."""

    name: Name | None = None
    external_id: Line | None = None
    plan_id: Annotated[Id | None, Field(description="only admins of the whole account change it")] = None
    countries: Annotated[
        Countries | None, Field(description="where calls may be connected to; null: as the parent says")
    ] = None
    talk_limit: Annotated[TalkLimit | None, Field(description="seconds a connection may last")] = None
    time_zone: Annotated[Line | None, Field(description="a name such as Europe/Berlin")] = None
    industry: Line | None = None
    phone: Phone | None = None
    city: Line | None = None
    default_destination: Phone | None = None
    default_whisper: Words | None = None
    default_ring_timeout: Annotated[RingTimeout | None, Field(description="seconds")] = None
    default_record_calls: bool | None = None
    default_caller_id: Shown | None = None
    mask_callers: Annotated[
        bool | None, Field(description="whether standard users see callers' numbers masked")
    ] = None
    keep_callers_days: Annotated[
        Annotated[int, Field(ge=1, le=3650)] | None,
        Field(description="days after a caller's last call when his number is replaced by a hash, for good"),
    ] = None


class NewGroup(GroupFields):
    """A group below another one; the actor's own unless named."""

    name: Name
    parent_id: Id | None = None


class GroupChanges(GroupFields):
    """What is sent is changed; `parent_id` moves it."""

    parent_id: Id | None = None


class NewParent(Draft):
    parent_id: Id


_SHOWN = 5
_LINES = frozenset({"external_id", "industry", "city", "default_whisper"})


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Group:  # noqa: ARG001
    """Create a group from a `NewGroup`; raise `Invalid`, `NotAllowed`."""
    actor.require_administration()
    reading = Reading()
    draft = reading.read(NewGroup, raw)
    parent = named_group(session, actor, draft.parent_id, reading, "parent_id")
    fields = _checked(session, actor, draft.sent, reading)
    reading.finish()
    group = Group(**fields | {"parent_id": None if parent is None else parent.id})
    session.add(group)
    session.flush()
    return group


def revise(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:  # noqa: ARG001
    """Change what a `GroupChanges` names; raise `NotThere`, `NotAllowed`, `Invalid`, `Conflict`."""
    group, reading = _opened(session, actor, group_id)
    draft = reading.read(GroupChanges, raw)
    sent = {name: value for name, value in draft.sent.items() if value != _held(group, name)}
    if sent.get("name", "") is None:
        reading.add("name", "is mandatory")
    if "parent_id" in sent:
        _check_move(session, actor, group, sent["parent_id"], reading)
    return _changed(session, group, _checked(session, actor, sent, reading), reading)


def move(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:  # noqa: ARG001
    """Put a group below another one (`raw`: `NewParent`); raise as `revise` does."""
    group, reading = _opened(session, actor, group_id)
    draft = reading.read(NewParent, raw)
    if "parent_id" in draft.sent:
        _check_move(session, actor, group, draft.parent_id, reading)
    return _changed(session, group, draft.sent, reading)


def archive(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:  # noqa: ARG001
    """Put a group away; raise `Conflict` while it has campaigns that may ring, or groups below it."""
    group, _reading = _opened(session, actor, group_id)
    if group.id == actor.group_id:
        raise Conflict("archived_at", "this is your own group; an admin of the group above may archive it")
    children = select(Group.name).where(Group.parent_id == group.id, Group.archived_at.is_(None))
    _refuse_while(session.scalars(children.order_by(Group.name)).all(), "groups below it")
    may_ring = select(Campaign.name).where(
        Campaign.group_id == group.id,
        Campaign.archived_at.is_(None),
        or_(Campaign.ends_at.is_(None), Campaign.ends_at > now - REFERRAL_WINDOW),
    )
    _refuse_while(session.scalars(may_ring.order_by(Campaign.name)).all(), "campaigns that are not over")
    group.archived_at = now
    session.flush()
    return group


def _held(group: Group, name: str) -> object:
    """A field as a draft has it."""
    value = getattr(group, name)
    return value.split(",") if name == "countries" and value is not None else value


def _refuse_while(names: Sequence[str], what: str) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise Conflict("archived_at", f"it has {what}: {', '.join(names[:_SHOWN])}{more}")


def _opened(session: Session, actor: Actor, group_id: int) -> tuple[Group, Reading]:
    group = visible_group(session, actor, group_id)
    actor.require_administration()
    if group.archived_at is not None:
        raise Conflict("archived_at", "the group is archived and stays as it is")
    return group, Reading()


def _changed(session: Session, group: Group, changes: dict[str, Any], reading: Reading) -> Group:
    reading.finish()
    for name, value in changes.items():
        setattr(group, name, value)
    try:
        session.flush()
    except GroupCycle:  # another move came first
        raise Conflict("parent_id", "the group would stand below itself") from None
    return group


def _check_move(
    session: Session, actor: Actor, group: Group, parent_id: int | None, reading: Reading
) -> None:
    """Both ends must lie in the actor's subtree: the parent it has as well as the one it shall have."""
    if group.id == actor.group_id:
        raise NotAllowed("only an admin of the group above may move this group")
    if parent_id is None:
        reading.add("parent_id", "is mandatory")
        return
    parent = named_group(session, actor, parent_id, reading, "parent_id")
    if parent is not None and any(above.id == group.id for above in ancestors(session, parent.id)):
        reading.add("parent_id", "the group would stand below itself")


def _checked(session: Session, actor: Actor, sent: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """What was sent, with an error for everything that cannot be."""
    fields = {name: value for name, value in sent.items() if name != "parent_id" or value is not None}
    if "plan_id" in fields:
        _check_plan(session, actor, fields["plan_id"], reading)
    if fields.get("time_zone") is not None:
        _check_time_zone(fields["time_zone"], reading)
    if fields.get("countries") is not None:
        fields["countries"] = _countries(fields["countries"], reading)
    for name in _LINES & fields.keys():
        fields[name] = fields[name] or None
    if fields.get("default_whisper"):
        fields["default_whisper"] = spoken(fields["default_whisper"], "default_whisper", reading)
    check_destination(session, fields.get("default_destination"), reading, "default_destination")
    return fields


def _check_plan(session: Session, actor: Actor, plan_id: int | None, reading: Reading) -> None:
    if not is_of_the_whole_account(session, actor):
        raise NotAllowed("only an admin of the whole account may change a group's plan")
    if plan_id is not None and session.get(Plan, plan_id) is None:
        reading.add("plan_id", "there is no such plan")


def _countries(codes: list[str], reading: Reading) -> str | None:
    """As the row holds them."""
    try:
        return ",".join(countries_in(codes))
    except UnknownCountry as error:
        reading.add("countries", str(error))
        return None


def _check_time_zone(name: str, reading: Reading) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reading.add("time_zone", "is no time zone; use a name such as Europe/Berlin or America/New_York")

"""Groups: created, revised, moved in the tree, archived."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Line, Name, Phone, Words
from admin.numbers import RingTimeout, Shown
from models.group import Group


class GroupFields(Draft):
    """What a group can be given; a null plan, time zone or default is the parent's."""

    name: Name | None = None
    external_id: Line | None = None
    plan_id: Annotated[Id | None, Field(description="only admins of the whole account change it")] = None
    time_zone: Annotated[Line | None, Field(description="a name such as Europe/Berlin")] = None
    industry: Line | None = None
    phone: Phone | None = None
    city: Line | None = None
    default_destination: Phone | None = None
    default_whisper: Words | None = None
    default_ring_timeout: Annotated[RingTimeout | None, Field(description="seconds")] = None
    default_record_calls: bool | None = None
    default_caller_id: Shown | None = None


class NewGroup(GroupFields):
    """A group below another one; the actor's own unless named."""

    name: Name
    parent_id: Id | None = None


class GroupChanges(GroupFields):
    """What is sent is changed; `parent_id` moves it."""

    parent_id: Id | None = None


class NewParent(Draft):
    parent_id: Id


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Group:
    """Create a group from a `NewGroup`; raise `Invalid`, `NotAllowed`."""
    raise NotImplementedError


def revise(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:
    """Change what a `GroupChanges` names; raise `NotThere`, `NotAllowed`, `Invalid`."""
    raise NotImplementedError


def move(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:
    """Put a group below another one (`raw`: `NewParent`); raise as `revise` does."""
    raise NotImplementedError


def archive(session: Session, actor: Actor, group_id: int, raw: object, now: datetime) -> Group:
    """Put a group away; raise `Conflict` while it has campaigns that may ring, or groups below it."""
    raise NotImplementedError

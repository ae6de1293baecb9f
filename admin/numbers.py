"""Tracking numbers: created on a campaign, revised, moved, released."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id, Line, Name, Phone, Words
from models.tracking_number import TrackingNumber
from routing.route import CallerId

MOST_AT_ONCE = 1000
RingTimeout = Annotated[int, Field(ge=5, le=600)]
Shown = Annotated[CallerId, Field(strict=False)]


class NumberFields(Draft):
    """What a tracking number can be given; what is not sent comes from the group's defaults."""

    name: Line = ""
    destination: Phone | None = None
    whisper: Words | None = None
    ring_timeout: Annotated[RingTimeout | None, Field(description="seconds")] = None
    record_calls: bool = False
    caller_id: Shown = CallerId.CALLER


class NewNumber(NumberFields):
    """A number to be put on a campaign, or kept in a group for later.

    `number` is E.164, or national where the group's country makes it unambiguous.
    """

    number: Name
    campaign_id: Id | None = None
    group_id: Annotated[Id | None, Field(description="for a number without a campaign")] = None
    carrier: Name = "twilio"
    carrier_sid: Line | None = None


class NewNumbers(Draft):
    """Up to 1,000 numbers: all of them or none."""

    numbers: Annotated[list[object], Field(min_length=1, max_length=MOST_AT_ONCE)]


class NumberChanges(NumberFields):
    """What is sent is changed; `campaign_id` moves it (null: off its campaign)."""

    campaign_id: Id | None = None
    revision: Annotated[int | None, Field(ge=1)] = None


class Move(Draft):
    """Where a number goes; null: off its campaign."""

    campaign_id: Id | None
    revision: Annotated[int | None, Field(ge=1)] = None


class Release(Draft):
    revision: Annotated[int | None, Field(ge=1)] = None


def create(session: Session, actor: Actor, raw: object, now: datetime) -> TrackingNumber:
    """Hold the number of a `NewNumber`; raise `Invalid`, `NotAllowed`, `Conflict` where it is taken."""
    raise NotImplementedError


def create_many(session: Session, actor: Actor, raw: object, now: datetime) -> list[TrackingNumber]:
    """Hold all of a `NewNumbers`, or none; raise as `create` does, fields as `numbers.17.destination`."""
    raise NotImplementedError


def revise(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> TrackingNumber:
    """Change what a `NumberChanges` names; raise `NotThere`, `NotAllowed`, `Stale`, `Invalid`."""
    raise NotImplementedError


def move(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> TrackingNumber:
    """Put a number on another campaign (`raw`: `Move`); raise as `revise` does."""
    raise NotImplementedError


def release(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> TrackingNumber:
    """Give a number back (`raw`: `Release`); the door asks before. Raise as `revise` does."""
    raise NotImplementedError

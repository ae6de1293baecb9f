"""Tracking numbers: created on a campaign, revised, moved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import Field, SkipValidation
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.changing import changing, check_revision
from admin.drafts import Draft, Id, Reading
from admin.errors import Conflict, FieldError, Invalid
from admin.number_filling import Filled, Filling, NewNumber, NumberFields, spoken
from admin.references import check_destination, named_campaign, require_managing, visible_number
from models.campaign import Campaign
from models.tracking_number import NumberStatus, NumberTaken, TrackingNumber, hold
from routing.destinations import UnfitDestination

MOST_AT_ONCE = 1000


class NewNumbers(Draft):
    """Up to 1,000 numbers: all of them or none."""

    # Each is read by itself, so that all errors of all of them are told at once.
    numbers: Annotated[
        list[Annotated[NewNumber, SkipValidation]], Field(min_length=1, max_length=MOST_AT_ONCE)
    ]


class NumberChanges(NumberFields):
    """What is sent is changed; `campaign_id` moves it (null: off its campaign)."""

    campaign_id: Id | None = None
    revision: Annotated[int | None, Field(ge=1)] = None


class Move(Draft):
    """Where a number goes; null: off its campaign."""

    campaign_id: Id | None
    revision: Annotated[int | None, Field(ge=1)] = None


_D = TypeVar("_D", bound=Draft)


def create(session: Session, actor: Actor, raw: object, now: datetime) -> TrackingNumber:  # noqa: ARG001
    """Hold the number of a `NewNumber`; raise `Invalid`, `NotAllowed`, `Conflict` where it is taken."""
    return _hold(session, actor, [(raw, "")])[0]


def create_many(session: Session, actor: Actor, raw: object, now: datetime) -> list[TrackingNumber]:  # noqa: ARG001
    """Hold all of a `NewNumbers`, or none; raise as `create` does, fields as `numbers.17.destination`.

    What is answered stands in the order of the request.
    """
    actor.require_writing()
    reading = Reading()
    draft = reading.read(NewNumbers, raw)
    reading.finish()
    return _hold(session, actor, [(item, f"numbers.{place}.") for place, item in enumerate(draft.numbers)])


def revise(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> TrackingNumber:  # noqa: ARG001
    """Change what a `NumberChanges` names; raise `NotThere`, `NotAllowed`, `Stale`, `Invalid`."""
    number, reading, draft = _opened(session, actor, number_id, raw, NumberChanges)
    changes = {name: value for name, value in draft.sent.items() if name != "revision"}
    return _changed(session, actor, number, changes, reading)


def move(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> TrackingNumber:  # noqa: ARG001
    """Put a number on another campaign (`raw`: `Move`); raise as `revise` does."""
    number, reading, draft = _opened(session, actor, number_id, raw, Move)
    changes = {"campaign_id": draft.sent["campaign_id"]} if "campaign_id" in draft.sent else {}
    return _changed(session, actor, number, changes, reading)


def _opened(
    session: Session, actor: Actor, number_id: int, raw: object, model: type[_D]
) -> tuple[TrackingNumber, Reading, _D]:
    """The number, if the actor manages it and read it as it is now; and what he wants of it."""
    number = visible_number(session, actor, number_id)
    require_managing(session, actor, number.campaign_id)
    reading = Reading()
    draft = reading.read(model, raw)
    check_revision(number, draft.sent.get("revision"))
    if number.status is NumberStatus.RELEASED:
        raise Conflict("status", "the number was released; hold it again by creating it")
    return number, reading, draft


def _changed(
    session: Session, actor: Actor, number: TrackingNumber, changes: dict[str, Any], reading: Reading
) -> TrackingNumber:
    changed = {name: value for name, value in changes.items() if value != getattr(number, name)}
    if "destination" in changed:
        check_destination(session, changed["destination"], reading)
    if changed.get("whisper"):
        changed["whisper"] = spoken(changed["whisper"], "whisper", reading)
    target: Campaign | None = None
    if "campaign_id" in changed:
        target = _target(session, actor, changed["campaign_id"], reading)
    reading.finish()
    with changing(session, number):
        for name, value in changed.items():
            setattr(number, name, value)
        if target is not None:
            number.group_id = target.group_id
        session.flush()
        _stay_with_campaigns(session, [number])
    return number


def _target(session: Session, actor: Actor, campaign_id: int | None, reading: Reading) -> Campaign | None:
    if campaign_id is None:
        actor.require_admin()
        return None
    return named_campaign(session, actor, campaign_id, reading)


def _hold(session: Session, actor: Actor, drafts: Sequence[tuple[object, str]]) -> list[TrackingNumber]:
    actor.require_writing()
    reading = Reading()
    filling = Filling(session, actor)
    filled = [filling.fill(raw, place, reading) for raw, place in drafts]
    filling.refuse_repetitions(filled, reading)
    filling.refuse_own_numbers(filled, reading)
    reading.finish()
    try:
        holdings = [TrackingNumber(**number.fields) for number in filled]
        hold(session, holdings)
    except NumberTaken as taken:
        raise _conflict(filled, taken) from None
    except UnfitDestination as error:
        raise Invalid(FieldError("destination", str(error))) from None
    _stay_with_campaigns(session, holdings)
    return holdings


def _conflict(filled: Sequence[Filled], taken: NumberTaken) -> Conflict:
    places = [number.place for number in filled if number.fields["number"] in taken.numbers]
    if places == [""]:
        return Conflict("number", "this number is held already")
    positions = ", ".join(place.split(".")[1] for place in places)
    return Conflict(f"{places[0]}number", f"held already: the numbers at {positions}; none was created")


def _stay_with_campaigns(session: Session, numbers: Sequence[TrackingNumber]) -> None:
    """Follow campaigns to another group if they were moved while we wrote; from now on they wait for us."""
    for campaign_id in {number.campaign_id for number in numbers} - {None}:
        campaign = session.get_one(Campaign, campaign_id)
        session.refresh(campaign, ["group_id"])
        for number in numbers:
            if number.campaign_id == campaign_id:
                number.group_id = campaign.group_id
    session.flush()

"""Numbers given back: asked about, put into quarantine, returned to the carrier, or had back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.changing import changing, check_revision
from admin.drafts import Draft, Phone, Reading
from admin.errors import Conflict, NotThere
from admin.references import require_managing, visible_number
from models.call_usage import NEVER, Usage, usage
from models.campaign import Campaign
from models.number_release import (
    NumberRelease,
    ReleaseStep,
    last_release,
    locked_release,
    newest_release,
)
from models.routes import campaign_facts
from models.tracking_number import (
    NumberStatus,
    NumberTaken,
    TrackingNumber,
    hold_number,
    last_holding,
)
from routing.numbers import PhoneNumber
from routing.policy import State, state_of

QUARANTINE_DAYS = 30
LONGEST_QUARANTINE = 365
_STILL_CALLED = timedelta(days=30)
_ON_ITS_WAY = frozenset({ReleaseStep.QUARANTINE, ReleaseStep.RETURNING})
_HELD_AGAIN = "it was held again in the meantime"


class Terms(Draft):
    """How a number is given back; read from an address or a form: all of it may be text."""

    model_config = ConfigDict(strict=False)

    days: Annotated[
        int,
        Field(
            ge=0,
            le=LONGEST_QUARANTINE,
            description="for which the number rests before the carrier gets it; callers are rejected",
        ),
    ] = QUARANTINE_DAYS
    even_in_use: Annotated[bool, Field(description="although it is still dialled or its campaign runs")] = (
        False
    )
    revision: Annotated[int | None, Field(ge=1)] = None


class Release(Terms):
    """Which number is given back, and how."""

    number: Phone


@dataclass(frozen=True, slots=True)
class Outlook:
    """What giving a number back would mean."""

    holding: TrackingNumber
    usage: Usage
    reasons_to_keep: tuple[str, ...]
    """Empty: nothing speaks against it."""


def outlook(session: Session, actor: Actor, number: PhoneNumber, now: datetime) -> Outlook:
    """Raise `NotThere`, `NotAllowed`."""
    return _outlook(session, _visible(session, actor, number), now)


def outlook_of(session: Session, actor: Actor, number_id: int, now: datetime) -> Outlook:
    """Likewise of a number by its id."""
    return _outlook(session, _visible_one(session, actor, number_id), now)


def _outlook(session: Session, holding: TrackingNumber, now: datetime) -> Outlook:
    number = holding.number
    used = usage(session, [number], now).get(number, NEVER)
    reasons = []
    if holding.campaign_id is not None and holding.status is NumberStatus.ACTIVE:
        facts = campaign_facts(session, [holding.campaign_id])[holding.campaign_id]
        state = state_of(facts, now)
        if state in {State.LIVE, State.REFERRAL, State.SCHEDULED}:
            reasons.append(f"its campaign {holding.campaign_id} is {state.value}")
    if used.last_call_at is not None and used.last_call_at > now - _STILL_CALLED:
        reasons.append(f"it was dialled in the last {_STILL_CALLED.days} days")
    return Outlook(holding, used, tuple(reasons))


def release(session: Session, actor: Actor, raw: object, now: datetime) -> NumberRelease:
    """Reject the number's callers from now on and give it back in some days (`raw`: `Release`).

    Raises `NotThere`, `NotAllowed`, `Invalid`, `Stale`, and `Conflict` where it is in use or on its way
    already. The door asks before.
    """
    reading = Reading()
    draft = reading.read(Release, raw)
    reading.finish()
    return _release(session, outlook(session, actor, draft.number, now), draft, now)


def release_one(session: Session, actor: Actor, number_id: int, raw: object, now: datetime) -> NumberRelease:
    """Likewise a number by its id (`raw`: `Terms`); `Conflict` also where it was released before."""
    holding = _visible_one(session, actor, number_id)
    reading = Reading()
    draft = reading.read(Terms, raw)
    check_revision(holding, draft.revision)
    if holding.status is NumberStatus.RELEASED:
        raise Conflict("status", "the number was released; hold it again by creating it")
    reading.finish()
    return _release(session, _outlook(session, holding, now), draft, now)


def _release(session: Session, seen: Outlook, terms: Terms, now: datetime) -> NumberRelease:
    if seen.reasons_to_keep and not terms.even_in_use:
        raise Conflict(
            "even_in_use", f"{' and '.join(seen.reasons_to_keep)}; say so if it shall go all the same"
        )
    holding = seen.holding
    before = last_release(session, holding.number)
    if before is not None and before.step in _ON_ITS_WAY:
        if before.step is ReleaseStep.RETURNING or holding.status is NumberStatus.RELEASED:
            raise Conflict("number", "it is on its way back already")
        before.step, before.problem = ReleaseStep.UNDONE, _HELD_AGAIN
        session.flush()
    if holding.status is NumberStatus.ACTIVE:
        with changing(session, holding):
            holding.release(now)
    given_back = NumberRelease(
        tracking_number_id=holding.id,
        number=holding.number,
        carrier=holding.carrier,
        carrier_sid=holding.carrier_sid,
        due_at=now + timedelta(days=terms.days),
    )
    session.add(given_back)
    session.flush()
    return given_back


def undo(session: Session, actor: Actor, number: PhoneNumber) -> TrackingNumber:
    """Hold a number again that is still in quarantine, as it was held before.

    Raises `NotThere`, `NotAllowed`, `NumberReturned` where the carrier has it again, and `Conflict`.
    """
    return _undo(session, _visible(session, actor, number))


def undo_one(session: Session, actor: Actor, number_id: int) -> TrackingNumber:
    """Likewise a number by the id under which it was held; `Conflict` also where the carrier has it again."""
    holding = _visible_one(session, actor, number_id)
    given_back = newest_release(session, holding.number)
    if given_back is not None and given_back.tracking_number_id != number_id:
        raise Conflict("number", "it was held again since then; look at its latest entry")
    try:
        return _undo(session, holding)
    except NumberReturned:
        raise Conflict(
            "number", "the carrier has it again; order it by name, if it is still on offer"
        ) from None


def _undo(session: Session, holding: TrackingNumber) -> TrackingNumber:
    number = holding.number
    given_back = last_release(session, number)
    if given_back is None or given_back.step is ReleaseStep.UNDONE:
        raise Conflict("number", "it is not on its way back")
    if given_back.step is ReleaseStep.RETURNING:
        raise Conflict("number", "it is being given back right now; try again in a minute")
    if given_back.step is ReleaseStep.RETURNED:
        raise NumberReturned(given_back.id, _order_back(given_back, holding))
    given_back.step = ReleaseStep.UNDONE
    campaign = None if holding.campaign_id is None else session.get(Campaign, holding.campaign_id)
    on_it = campaign is not None and campaign.archived_at is None
    try:
        return hold_number(
            session,
            number,
            group_id=holding.group_id,
            carrier=holding.carrier,
            carrier_sid=holding.carrier_sid,
            campaign_id=holding.campaign_id if on_it else None,
            name=holding.name,
            destination=holding.destination,
            whisper=holding.whisper,
            ring_timeout=holding.ring_timeout,
            record_calls=holding.record_calls,
            caller_id=holding.caller_id,
        )
    except NumberTaken:
        raise Conflict("number", "it is held again already") from None


class NumberReturned(Exception):
    """The carrier has the number again; `order` (a `NewOrder`) buys it back, if nobody else has it."""

    def __init__(self, release_id: int, order: dict[str, Any]) -> None:
        super().__init__("the carrier has it again")
        self.release_id = release_id
        self.order = order


def _order_back(given_back: NumberRelease, holding: TrackingNumber) -> dict[str, Any]:
    settings = ("name", "destination", "whisper", "ring_timeout", "record_calls", "caller_id")
    home = "group_id" if holding.campaign_id is None else "campaign_id"
    return {
        "numbers": [given_back.number],
        "key": f"undo of release {given_back.id}",
        **{name: getattr(holding, name) for name in (home, *settings)},
    }


def begin_return(session: Session, release_id: int) -> NumberRelease | None:
    """Write down that a number is about to be given back; None: it is not to be, any more.

    Whoever holds it again by now keeps it.
    """
    given_back = locked_release(session, release_id)
    if given_back.step not in _ON_ITS_WAY:
        return None
    held = last_holding(session, given_back.number)
    if held is not None and held.status is NumberStatus.ACTIVE:
        given_back.step = ReleaseStep.UNDONE
        given_back.problem = _HELD_AGAIN
        return None
    given_back.step = ReleaseStep.RETURNING
    return given_back


def end_return(session: Session, release_id: int, now: datetime) -> None:
    """Write down that the carrier has it again."""
    given_back = locked_release(session, release_id)
    given_back.step, given_back.returned_at = ReleaseStep.RETURNED, now


def bought_back(session: Session, release_id: int) -> None:
    locked_release(session, release_id).step = ReleaseStep.UNDONE


def resting(session: Session, number_id: int, number: PhoneNumber) -> NumberRelease | None:
    """The release of a number that is on its way back to the carrier, and was held under this id."""
    found = newest_release(session, number)
    if found is None or found.tracking_number_id != number_id or found.step not in _ON_ITS_WAY:
        return None
    return found


def _visible_one(session: Session, actor: Actor, number_id: int) -> TrackingNumber:
    holding = visible_number(session, actor, number_id)
    require_managing(session, actor, holding.campaign_id)
    return holding


def _visible(session: Session, actor: Actor, number: PhoneNumber) -> TrackingNumber:
    holding = last_holding(session, number)
    if holding is None or not sees_group(session, actor, holding.group_id):
        raise NotThere("there is no such tracking number")
    require_managing(session, actor, holding.campaign_id)
    return holding

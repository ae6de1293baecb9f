"""Numbers given back: asked about, put into quarantine, returned to the carrier, or had back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.changing import changing
from admin.drafts import Draft, Phone, Reading
from admin.errors import Conflict, NotThere
from admin.references import require_managing
from models.call_usage import NEVER, Usage, usage
from models.campaign import Campaign
from models.number_release import NumberRelease, ReleaseStep, last_release, locked_release
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


class Release(Draft):
    """How a number is given back; `even_in_use`: although callers still need it."""

    number: Phone
    days: Annotated[
        int, Field(ge=0, le=LONGEST_QUARANTINE, description="for which callers are rejected first")
    ] = QUARANTINE_DAYS
    even_in_use: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What giving a number back would mean."""

    holding: TrackingNumber
    usage: Usage
    reasons_to_keep: tuple[str, ...]
    """Empty: nothing speaks against it."""


def outlook(session: Session, actor: Actor, number: PhoneNumber, now: datetime) -> Outlook:
    """Raise `NotThere`, `NotAllowed`."""
    holding = _visible(session, actor, number)
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
    seen = outlook(session, actor, draft.number, now)
    if seen.reasons_to_keep and not draft.even_in_use:
        raise Conflict("number", f"{' and '.join(seen.reasons_to_keep)}; say so if it shall go all the same")
    before = last_release(session, draft.number)
    if before is not None and before.step in {ReleaseStep.QUARANTINE, ReleaseStep.RETURNING}:
        raise Conflict("number", "it is on its way back already")
    holding = seen.holding
    if holding.status is NumberStatus.ACTIVE:
        with changing(session, holding):
            holding.release(now)
    given_back = NumberRelease(
        tracking_number_id=holding.id,
        number=holding.number,
        carrier=holding.carrier,
        carrier_sid=holding.carrier_sid,
        due_at=now + timedelta(days=draft.days),
    )
    session.add(given_back)
    session.flush()
    return given_back


def undo(session: Session, actor: Actor, number: PhoneNumber) -> TrackingNumber:
    """Hold a number again that is still in quarantine, as it was held before.

    Raises `NotThere`, `NotAllowed`, `NumberReturned` where the carrier has it again, and `Conflict`.
    """
    holding = _visible(session, actor, number)
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
    if given_back.step not in {ReleaseStep.QUARANTINE, ReleaseStep.RETURNING}:
        return None
    held = last_holding(session, given_back.number)
    if held is not None and held.status is NumberStatus.ACTIVE:
        given_back.step = ReleaseStep.UNDONE
        given_back.problem = "it was held again in the meantime"
        return None
    given_back.step = ReleaseStep.RETURNING
    return given_back


def end_return(session: Session, release_id: int, now: datetime) -> None:
    """Write down that the carrier has it again."""
    given_back = locked_release(session, release_id)
    given_back.step, given_back.returned_at = ReleaseStep.RETURNED, now


def bought_back(session: Session, release_id: int) -> None:
    locked_release(session, release_id).step = ReleaseStep.UNDONE


def _visible(session: Session, actor: Actor, number: PhoneNumber) -> TrackingNumber:
    holding = last_holding(session, number)
    if holding is None or not sees_group(session, actor, holding.group_id):
        raise NotThere("there is no such tracking number")
    require_managing(session, actor, holding.campaign_id)
    return holding

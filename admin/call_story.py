"""What is told of one call beside its row: why it was decided so, and what the carrier reported of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.masking import masking
from models.call import Call
from models.call_event import LoggedEvent, events_of
from models.call_log import arrival_of
from routing.explanation import Explanation, explain


@dataclass(frozen=True, slots=True)
class Reported:
    """One report of the carrier, and its fields as the actor may see them."""

    event: LoggedEvent
    fields: Mapping[str, Any]


def why(session: Session, actor: Actor, call: Call) -> Explanation | None:
    """None where only the end of the call was reported. Who is masked is not named as blocked either."""
    arrival = arrival_of(call)
    if arrival is None:
        return None
    found = explain(arrival)
    if call.group_id not in masking(session, actor).group_ids:
        return found
    return replace(found, facts=tuple(fact for fact in found.facts if fact[0] != "blocked by"))


def reported(session: Session, actor: Actor, call: Call) -> list[Reported]:
    """All reports, in the order in which it happened."""
    masked = masking(session, actor)
    known = {number.e164 for number in (call.tracking_number, call.destination) if number is not None}
    return [
        Reported(event, masked.fields(event.raw, call.group_id, known)) for event in events_of(session, call)
    ]

"""Write arrivals into the call log, and read back what a call was decided on."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from models.call import ArrivalRow, record_arrivals
from routing.arrival import Arrival
from routing.decision import Connect, name_of
from routing.encoding import encode_campaign, encode_number


def record(session: Session, arrivals: Iterable[Arrival], now: datetime) -> int:
    """Insert calls that the log does not have yet and return how many that were.

    A call that it has keeps its first decision.
    """
    return record_arrivals(session, [row_of(arrival, now) for arrival in arrivals])


def row_of(arrival: Arrival, now: datetime) -> ArrivalRow:
    """The columns of one call as it arrives; `now` is when it is written."""
    call, route, decision = arrival.call, arrival.route, arrival.decision
    campaign = None if route is None else route.campaign
    return {
        "carrier": call.carrier,
        "call_sid": call.call_sid,
        "tracking_number": call.dialled,
        "dialled_text": call.dialled_text or None,
        "campaign_id": None if campaign is None else campaign.campaign_id,
        "campaign_external_id": None if campaign is None else campaign.external_id,
        "group_id": None if route is None else route.group_id,
        "caller": call.caller,
        "caller_city": call.caller_city,
        "caller_state": call.caller_state,
        "caller_country": call.caller_country,
        "attestation": call.attestation,
        "forwarded_from": call.forwarded_from,
        "decision": name_of(decision),
        "reason": str(decision.reason),
        "destination": decision.destination if isinstance(decision, Connect) else None,
        "started_at": call.received_at,
        "source": str(arrival.source),
        "facts": _facts(arrival),
        "created_at": now,
    }


def _facts(arrival: Arrival) -> dict[str, str] | None:
    """What the decision saw, in the index's own notation: readable, and decidable again."""
    route = arrival.route
    if route is None:
        return None
    facts = {"number": encode_number(route.number).decode()}
    if route.campaign is not None:
        facts["campaign"] = encode_campaign(route.campaign).decode()
    return facts

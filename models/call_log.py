"""Write what happened to calls into the call log."""

from collections.abc import Iterable
from datetime import datetime

from models.call import ArrivalRow, Call, record_arrivals
from models.call_event import record_events
from models.call_news import telling
from models.database import Database
from routing.arrival import Arrival, Source
from routing.block_encoding import decode_blocks, encode_blocks
from routing.call import InboundCall
from routing.decision import Connect, name_of
from routing.encoding import Unreadable, decode_campaign, decode_number, encode_campaign, encode_number
from routing.events import CallEvent
from routing.policy import block_in_force
from routing.route import Route


def record(
    database: Database, happenings: Iterable[Arrival | CallEvent], now: datetime, consent_version: str
) -> None:
    """Write arrivals and what became of them; whatever is there already changes nothing.

    A call keeps its first decision. `consent_version` names the text that callers hear before they
    are recorded. Arrivals and events are two transactions: in one, two workers that meet in the
    same calls could wait for each other crosswise.
    """
    arrivals: list[Arrival] = []
    events: list[CallEvent] = []
    for happening in happenings:
        match happening:
            case Arrival():
                arrivals.append(happening)
            case CallEvent():
                events.append(happening)
    if arrivals:
        rows = [row_of(arrival, now, consent_version) for arrival in arrivals]
        keys = {(row["carrier"], row["call_sid"]) for row in rows}
        with database.session() as session, telling(session, keys):
            record_arrivals(session, rows)
    if events:
        with database.session() as session:
            record_events(session, events)


def row_of(arrival: Arrival, now: datetime, consent_version: str) -> ArrivalRow:
    """The columns of one call as it arrives; `now` is when it is written."""
    call, route, decision = arrival.call, arrival.route, arrival.decision
    campaign = None if route is None else route.campaign
    block = None if route is None else block_in_force(route, call.received_at)
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
        "blocked_by": None if block is None else block.block_id,
        "destination": decision.destination if isinstance(decision, Connect) else None,
        "started_at": call.received_at,
        "source": str(arrival.source),
        "facts": _facts(arrival),
        "consent_version": consent_version if isinstance(decision, Connect) and decision.record else None,
        "created_at": now,
    }


def arrival_of(row: Call) -> Arrival | None:
    """The arrival that a row was written for, to be decided or explained again.

    None where the log has not heard of it, or cannot read its facts any more.
    """
    if row.source is None:
        return None
    call = InboundCall(row.carrier, row.call_sid, row.started_at, row.tracking_number, caller=row.caller)
    try:
        return Arrival(call, _route_of(row), Source(row.source))
    except (Unreadable, ValueError):
        return None


def _route_of(row: Call) -> Route | None:
    if row.facts is None or row.tracking_number is None:
        return None
    campaign, blocks = row.facts.get("campaign"), row.facts.get("blocks")
    route = Route(
        decode_number(row.tracking_number, row.facts["number"].encode()),
        None if campaign is None else decode_campaign(campaign.encode()),
    )
    return route if blocks is None else route.facing(decode_blocks(blocks.encode()))


def _facts(arrival: Arrival) -> dict[str, str] | None:
    """What the decision saw, in the index's own notation: readable, and decidable again."""
    route = arrival.route
    if route is None:
        return None
    facts = {"number": encode_number(route.number).decode()}
    if route.campaign is not None:
        facts["campaign"] = encode_campaign(route.campaign).decode()
    if route.blocks:
        facts["blocks"] = encode_blocks(route.blocks).decode()
    return facts

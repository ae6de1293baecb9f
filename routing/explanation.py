"""Say in words why a call goes where it goes."""

from dataclasses import dataclass
from datetime import datetime

from routing.arrival import Arrival
from routing.blocks import Block
from routing.decision import Connect, Reason, Refer, name_of
from routing.policy import REFERRAL_WINDOW, block_in_force, state_of
from routing.route import CampaignFacts, EndOfCampaign, NumberFacts

_RULES = {
    Reason.LIVE: "the campaign has begun and has not ended, so the call is connected",
    Reason.REFERRAL: "the campaign ended less than 30 days ago and refers its callers, as its plan allows",
    Reason.UNKNOWN_NUMBER: "no tracking number of ours was dialled",
    Reason.RELEASED: "the tracking number was released",
    Reason.UNASSIGNED: "the tracking number is on no campaign",
    Reason.ARCHIVED: "the campaign is archived",
    Reason.PAUSED: "the campaign is switched off by hand",
    Reason.SCHEDULED: "the campaign has not begun yet",
    Reason.ENDED: "the campaign has ended and callers are not, or no longer, referred",
    Reason.NO_DESTINATION: "the campaign is live but names no number to dial: give it a destination",
    Reason.UNFIT_DESTINATION: (
        "the campaign is live but its destination, or the country of it, must not be dialled: give it another"
    ),
    Reason.BLOCKED_CALLER: "the caller is on a block list of the number's group, or of one above it",
    Reason.UNAVAILABLE: "neither the index nor the database could be read",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision on a call, the rule that made it and the facts it was made on, in reading order."""

    decision: str
    reason: str
    rule: str
    source: str
    at: datetime
    facts: tuple[tuple[str, str], ...]


def explain(arrival: Arrival) -> Explanation:
    decision = arrival.decision
    facts: list[tuple[str, str]] = []
    route = arrival.route
    if route is not None:
        facts += _number_facts(route.number)
        block = block_in_force(route, arrival.call.received_at)
        if block is not None:
            facts.append(("blocked by", _block(block)))
        if route.campaign is not None:
            facts += _campaign_facts(route.campaign, arrival.call.received_at)
    match decision:
        case Connect():
            facts.append(("connects to", decision.destination.e164))
        case Refer(business_number=number) if number is not None:
            facts.append(("refers to", number.e164))
        case _:
            pass
    return Explanation(
        decision=name_of(decision),
        reason=str(decision.reason),
        rule=_RULES[decision.reason],
        source=str(arrival.source),
        at=arrival.call.received_at,
        facts=tuple(facts),
    )


def _block(block: Block) -> str:
    until = "for good" if block.expires_at is None else f"until {_instant(block.expires_at)}"
    return f"{block.pattern.text} on the list of group {block.group_id} (id {block.block_id}), {until}"


def _number_facts(number: NumberFacts) -> list[tuple[str, str]]:
    own = [
        ("tracking number", f"{number.number.e164} (id {number.number_id}, revision {number.revision})"),
        ("status", "released" if number.released else "active"),
    ]
    if number.destination is not None:
        own.append(("own destination", _destination(number)))
    return own


def _campaign_facts(campaign: CampaignFacts, at: datetime) -> list[tuple[str, str]]:
    facts = [
        ("campaign", f"id {campaign.campaign_id}, revision {campaign.revision}"),
        ("state", str(state_of(campaign, at))),
        ("starts", _instant(campaign.starts_at)),
        ("ends", "never" if campaign.ends_at is None else _instant(campaign.ends_at)),
        ("enabled", "yes" if campaign.enabled else "no"),
        ("end of campaign", str(campaign.end_of_campaign)),
        ("plan includes referral", "yes" if campaign.referral_included else "no"),
    ]
    if campaign.ends_at is not None and campaign.end_of_campaign is EndOfCampaign.REFERRAL:
        try:
            facts.append(("referral window closes", _instant(campaign.ends_at + REFERRAL_WINDOW)))
        except OverflowError:
            facts.append(("referral window closes", "beyond the calendar"))
    if campaign.external_id:
        facts.append(("external ID", campaign.external_id))
    if campaign.destination is not None:
        facts.append(("destination", _destination(campaign)))
    if campaign.countries is not None:
        facts.append(("connects within", ", ".join(campaign.countries)))
    if campaign.talk_limit is not None:
        facts.append(("talk limit", f"{campaign.talk_limit} s"))
    return facts


def _destination(facts: NumberFacts | CampaignFacts) -> str:
    number = "" if facts.destination is None else facts.destination.e164
    return f"{number}, a tracking number of ours" if facts.destination_is_ours else number


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

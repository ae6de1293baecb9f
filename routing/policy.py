"""The decision: a pure, total function of a route's facts and an instant."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from routing.blocks import Block
from routing.decision import Apologise, Connect, Decision, Reason, Refer, Reject
from routing.destinations import unfit_because
from routing.route import CampaignFacts, EndOfCampaign, NumberFacts, Route, SpokenPrompt

REFERRAL_WINDOW = timedelta(days=30)
"""How long after its end a campaign refers callers: 30 times 24 hours, the end excluded."""


class State(StrEnum):
    """Where a campaign stands at an instant; derived, never stored."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    REFERRAL = "referral"
    ENDED = "ended"
    PAUSED = "paused"
    ARCHIVED = "archived"


def state_of(campaign: CampaignFacts, at: datetime) -> State:
    """The state of `campaign` at the aware instant `at`; intervals are half-open."""
    if campaign.archived:
        return State.ARCHIVED
    if not campaign.enabled:
        return State.PAUSED
    if at < campaign.starts_at:
        return State.SCHEDULED
    if campaign.ends_at is None or at < campaign.ends_at:
        return State.LIVE
    refers = campaign.end_of_campaign is EndOfCampaign.REFERRAL and campaign.referral_included
    # The difference cannot overflow; ends_at + window could, for an end in the year 9999.
    if refers and at - campaign.ends_at < REFERRAL_WINDOW:
        return State.REFERRAL
    return State.ENDED


def decide(route: Route | None, at: datetime) -> Decision:
    """What a call gets that arrives at the aware instant `at`; `route` None: the number is unknown."""
    if route is None:
        return Reject(Reason.UNKNOWN_NUMBER)
    if block_in_force(route, at) is not None:
        return Reject(Reason.BLOCKED_CALLER)
    if route.number.released:
        return Reject(Reason.RELEASED)
    if route.campaign is None:
        return Reject(Reason.UNASSIGNED)
    return _by_state(route.number, route.campaign, at)


def _by_state(number: NumberFacts, campaign: CampaignFacts, at: datetime) -> Decision:
    match state_of(campaign, at):
        case State.LIVE:
            return _connect(number, campaign)
        case State.REFERRAL:
            return _refer(campaign)
        case State.ARCHIVED:
            return Reject(Reason.ARCHIVED)
        case State.PAUSED:
            return Reject(Reason.PAUSED)
        case State.SCHEDULED:
            return Reject(Reason.SCHEDULED)
        case State.ENDED:
            return Reject(Reason.ENDED)
        case state:
            assert_never(state)


def block_in_force(route: Route, at: datetime) -> Block | None:
    """The oldest block that keeps this caller out at the aware instant `at`, or None."""
    for block in route.blocks:
        if block.in_force(at):
            return block
    return None


def _connect(number: NumberFacts, campaign: CampaignFacts) -> Decision:
    language = "en" if campaign.prompt is None else campaign.prompt.language
    says = campaign if number.destination is None else number
    destination = says.destination
    if destination is None or destination == number.number:
        return Apologise(Reason.NO_DESTINATION, language)
    if says.destination_is_ours or unfit_because(destination, number.number, campaign.countries) is not None:
        return Apologise(Reason.UNFIT_DESTINATION, language)
    return Connect(
        destination=destination,
        tracking_number=number.number,
        caller_id=number.caller_id,
        ring_timeout=number.ring_timeout,
        talk_limit=campaign.talk_limit,
        record=number.record_calls,
        whispering_number_id=number.number_id if number.whisper else None,
        language=language,
    )


def _refer(campaign: CampaignFacts) -> Refer:
    return Refer(
        business_name=campaign.business_name,
        business_number=campaign.business_number,
        prompt=campaign.prompt or SpokenPrompt(),
    )

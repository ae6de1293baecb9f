"""A campaign's life as spans of time, and what a caller gets in each."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from prompts import phrases, referral
from routing.decision import Refer
from routing.policy import REFERRAL_WINDOW, State, state_of
from routing.route import CampaignFacts, EndOfCampaign, RecordedPrompt, SpokenPrompt


@dataclass(frozen=True, slots=True)
class Span:
    """From `begins` (None: ever since) until `ends` (None: for ever), the end excluded."""

    state: State
    begins: datetime | None
    ends: datetime | None
    is_now: bool
    heard: str


def spans(campaign: CampaignFacts, now: datetime) -> list[Span]:
    """The spans in order; `now` lies in exactly one of them.

    Whether somebody switched it off or archived it is no matter of time: such a campaign has one span.
    """
    state = state_of(campaign, now)
    if state in {State.ARCHIVED, State.PAUSED}:
        return [Span(state, None, None, is_now=True, heard=heard(campaign, state))]
    edges: list[datetime] = [campaign.starts_at]
    if campaign.ends_at is not None:
        edges.append(campaign.ends_at)
        if _refers(campaign):
            edges += _end_of_referral(campaign.ends_at)
    begins: list[datetime | None] = [None, *edges]
    found = []
    for begin, end in zip(begins, [*edges, None], strict=True):
        # Any instant of the span tells its state; the first one, where it has one, belongs to it.
        within = state_of(campaign, begin) if begin is not None else State.SCHEDULED
        is_now = (begin is None or begin <= now) and (end is None or now < end)
        found.append(Span(within, begin, end, is_now, heard(campaign, within)))
    return found


def to_come(campaign: CampaignFacts, now: datetime) -> list[Span]:
    """The spans that are not over."""
    return [span for span in spans(campaign, now) if span.ends is None or now < span.ends]


def heard(campaign: CampaignFacts, state: State) -> str:
    """What a caller gets while the campaign is in this state."""
    match state:
        case State.LIVE if campaign.destination is None:
            return (
                "Numbers with a destination of their own connect. Callers of the others hear that the call "
                "cannot be connected now: give the campaign a destination."
            )
        case State.LIVE:
            return "Callers are connected to the business."
        case State.REFERRAL:
            return f"Callers hear {_prompt(campaign)}, then the call ends."
        case State.SCHEDULED:
            return "Calls are rejected: the campaign has not begun."
        case State.ENDED if (
            campaign.end_of_campaign is EndOfCampaign.REFERRAL and not campaign.referral_included
        ):
            return "Calls are rejected: the plan of the group does not include the referral prompt."
        case State.ENDED:
            return "Calls are rejected. They are logged all the same, and nobody is billed."
        case State.PAUSED:
            return "Calls are rejected until the campaign is switched on again."
        case State.ARCHIVED:
            return "Calls are rejected. An archived campaign stays as it is."
        case _:
            assert_never(state)


def referral_words(campaign: CampaignFacts) -> str | None:
    """What the referral prompt says, twice; None where a recording is played instead."""
    if isinstance(campaign.prompt, RecordedPrompt):
        return None
    prompt = campaign.prompt or SpokenPrompt()
    return referral.words(Refer(campaign.business_name, campaign.business_number, prompt))


def language_of(campaign: CampaignFacts) -> str:
    return phrases.of(campaign.prompt.language).language if campaign.prompt is not None else "en"


def _refers(campaign: CampaignFacts) -> bool:
    return campaign.end_of_campaign is EndOfCampaign.REFERRAL and campaign.referral_included


def _end_of_referral(ends_at: datetime) -> list[datetime]:
    try:
        return [ends_at + REFERRAL_WINDOW]
    except OverflowError:
        return []


def _prompt(campaign: CampaignFacts) -> str:
    match campaign.prompt:
        case RecordedPrompt():
            return "your recording"
        case SpokenPrompt(text=str()):
            return "your own words, twice"
        case _:
            return "which business number to call instead, twice"

"""What a campaign's settings mean for its callers, in words for who has just changed them."""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from routing.policy import REFERRAL_WINDOW, State, state_of
from routing.route import CampaignFacts, EndOfCampaign, RecordedPrompt, SpokenPrompt


def consequences(campaign: CampaignFacts, now: datetime) -> list[str]:
    """What callers get from now on, one sentence for each span; instants are in UTC."""
    return list(_spans(campaign, now))


def _spans(campaign: CampaignFacts, now: datetime) -> Iterator[str]:
    match state_of(campaign, now):
        case State.ARCHIVED:
            yield "The campaign is archived: calls are rejected."
        case State.PAUSED:
            yield "The campaign is switched off by hand: calls are rejected until it is switched on again."
        case State.SCHEDULED:
            yield f"Calls are rejected until {_at(campaign.starts_at)}."
            yield from _life(campaign)
        case State.LIVE:
            yield from _life(campaign)
        case State.REFERRAL:
            yield f"The campaign ended at {_at(campaign.ends_at)}. {_referral(campaign)}"
        case State.ENDED:
            ended = f"The campaign ended at {_at(campaign.ends_at)}"
            yield f"{ended}: calls are rejected.{_why_no_referral(campaign)}"
        case state:
            assert_never(state)


def _life(campaign: CampaignFacts) -> Iterator[str]:
    until = "" if campaign.ends_at is None else f" until {_at(campaign.ends_at)}"
    if campaign.destination is None:
        yield (
            f"While it is live{until}, only numbers with a destination of their own connect; "
            "callers of the others hear an apology."
        )
    else:
        yield f"While it is live, callers are connected{until}."
    if campaign.ends_at is None:
        return
    if campaign.end_of_campaign is EndOfCampaign.REFERRAL and campaign.referral_included:
        yield _referral(campaign)
    else:
        yield f"After that, calls are rejected.{_why_no_referral(campaign)}"


def _referral(campaign: CampaignFacts) -> str:
    ends_at = campaign.ends_at
    if ends_at is None:
        return ""
    match campaign.prompt:
        case RecordedPrompt():
            heard = "the recording"
        case SpokenPrompt(text=str()):
            heard = "the prompt's own words"
        case _:
            heard = "the standard referral prompt"
    try:
        until = f"until {_at(ends_at + REFERRAL_WINDOW)}"
    except OverflowError:
        until = "for 30 days"
    return f"Callers hear {heard} {until}; then calls are rejected."


def _why_no_referral(campaign: CampaignFacts) -> str:
    if campaign.end_of_campaign is EndOfCampaign.REFERRAL and not campaign.referral_included:
        return " The group's plan does not include the referral prompt."
    return ""


def _at(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"

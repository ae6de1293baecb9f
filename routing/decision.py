"""What a caller gets: a closed union, taken apart with `match`."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from routing.numbers import PhoneNumber
from routing.route import CallerId, RecordedPrompt, SpokenPrompt


class Reason(StrEnum):
    """Why a call got its decision: the state of the campaign, or what stood in the way."""

    LIVE = "live"
    REFERRAL = "referral"
    UNKNOWN_NUMBER = "unknown_number"
    RELEASED = "released"
    UNASSIGNED = "unassigned"
    ARCHIVED = "archived"
    PAUSED = "paused"
    SCHEDULED = "scheduled"
    ENDED = "ended"
    NO_DESTINATION = "no_destination"
    """The campaign is live but names no number that could be dialled: an operator must mend it."""
    UNFIT_DESTINATION = "unfit_destination"
    """The campaign is live but its destination is one that no call may be connected to, or lies in a
    country that is not allowed."""
    BLOCKED_CALLER = "blocked_caller"
    UNAVAILABLE = "unavailable"
    """The facts could not be read: neither index nor database nor last-known copy."""


class Connect(Struct, frozen=True):
    """Ring the business."""

    destination: PhoneNumber
    tracking_number: PhoneNumber
    caller_id: CallerId = CallerId.CALLER
    ring_timeout: int | None = None
    talk_limit: int | None = None
    """Seconds after which the connection is cut; None: the default."""
    record: bool = False
    whispering_number_id: int | None = None
    """The tracking number whose whisper the business hears before the bridge."""
    language: str = "en"
    reason: Literal[Reason.LIVE] = Reason.LIVE


class Refer(Struct, frozen=True):
    """Play the referral prompt: the number has ended, call the business directly."""

    business_name: str
    business_number: PhoneNumber | None
    prompt: SpokenPrompt | RecordedPrompt
    reason: Literal[Reason.REFERRAL] = Reason.REFERRAL


class Reject(Struct, frozen=True):
    """Do not answer; costs nobody anything."""

    reason: Reason


class Apologise(Struct, frozen=True):
    """Answer and say that the call cannot be put through at the moment."""

    reason: Reason = Reason.UNAVAILABLE
    language: str = "en"


Decision = Connect | Refer | Reject | Apologise


def name_of(decision: Decision) -> str:
    """The word for a decision in log, API and reports: connect, referral, reject, apology."""
    match decision:
        case Connect():
            return "connect"
        case Refer():
            return "referral"
        case Reject():
            return "reject"
        case Apologise():
            return "apology"

"""Words for calls: what a caller heard, how the call stands, what each report of the carrier means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask import Blueprint
from jinja2 import pass_context
from jinja2.runtime import Context

from admin.ui.wording import international, sentence
from models.call_event import LoggedEvent
from routing.decision import Reason
from routing.disposition import Disposition
from routing.events import EventKind
from routing.numbers import PhoneNumber

_LONGEST_CALL = timedelta(hours=24)
"""Carriers end a call after a day at the latest: whatever is older and has no end is not on any more."""
_LATE = timedelta(seconds=5)

REASONS = {
    Reason.LIVE: "campaign live",
    Reason.REFERRAL: "campaign ended, refers its callers",
    Reason.UNKNOWN_NUMBER: "unknown number",
    Reason.RELEASED: "number released",
    Reason.UNASSIGNED: "number on no campaign",
    Reason.ARCHIVED: "campaign archived",
    Reason.PAUSED: "campaign paused",
    Reason.SCHEDULED: "campaign not begun",
    Reason.ENDED: "campaign ended",
    Reason.NO_DESTINATION: "no destination",
    Reason.UNFIT_DESTINATION: "destination not allowed",
    Reason.BLOCKED_CALLER: "caller blocked",
    Reason.UNAVAILABLE: "nothing could be read",
}
DISPOSITIONS = {
    Disposition.COMPLETED: "completed",
    Disposition.BUSY: "busy",
    Disposition.NO_ANSWER: "no answer",
    Disposition.FAILED: "failed",
    Disposition.CANCELED: "caller hung up",
}
_CONNECTED = {
    Disposition.BUSY: "the line was busy",
    Disposition.NO_ANSWER: "nobody answered",
    Disposition.FAILED: "the call could not be put through",
    Disposition.CANCELED: "the caller hung up before anybody answered",
}
_LEG = {
    "initiated": "The business is being called",
    "ringing": "The business's phone rings",
    "answered": "The business answers",
    "completed": "The business's side of the call ends",
    "busy": "The business's line is busy",
    "no-answer": "Nobody answers at the business",
    "failed": "The business cannot be reached",
    "canceled": "Calling the business is given up",
}
_CALL = {
    "initiated": "The call comes in",
    "ringing": "The call comes in",
    "in-progress": "The carrier takes the call",
    "answered": "The carrier takes the call",
    "completed": "The call ends",
    "busy": "The call ends: turned away",
    "no-answer": "The call ends without being taken",
    "failed": "The call fails",
    "canceled": "The caller hangs up",
}
_RECORDING = {
    "in-progress": "Recording begins",
    "completed": "The recording is ready",
    "absent": "There is nothing to hear in the recording",
    "failed": "Recording failed",
}
_SOURCES = {
    "index": "the index in Redis",
    "database": "the database, because the index did not answer or was behind",
    "snapshot": "this host's last-known copy, because neither the index nor the database answered",
    "request": "the request itself: what was dialled is no phone number",
    "none": "nowhere: neither the index nor the database answered",
}


_ATTESTED = {
    "A": "vouched for by its carrier",
    "B": "the caller is known to its carrier, the number is not vouched for",
    "C": "not vouched for: its carrier only passed the call on",
}
"""STIR/SHAKEN levels (ATIS-1000074), the last letter of Twilio's StirVerstat."""


class Told(Protocol):
    """What these words need to know of a call."""

    @property
    def decision(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def destination(self) -> PhoneNumber | None: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def answered_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def talk_seconds(self) -> int | None: ...
    @property
    def disposition(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened in a call, and what the carrier sent of it."""

    at: datetime
    what: str
    late: str
    """How much later it was reported, where that is worth saying."""
    fields: dict[str, str]


def standing(call: Told, now: datetime) -> str:
    """How a call stands: its disposition; `ringing` or `in-progress` while it is on; or nothing."""
    if call.disposition:
        return call.disposition
    is_over = call.ended_at is not None or now - call.started_at >= _LONGEST_CALL
    if is_over or call.decision in {None, "reject"}:
        return ""
    if call.answered_at is not None or call.decision != "connect":
        return "in-progress"
    return "ringing"


def heard(call: Told, now: datetime) -> str:
    """What the caller got, such as `Connected to +1 415-555-0190, talked for 2 min 21 s`."""
    match call.decision:
        case "connect":
            number = "the business" if call.destination is None else international(call.destination)
            is_through = call.answered_at is not None or call.disposition == Disposition.COMPLETED
            return f"{'Connected to' if is_through else 'Rang'} {number}, {_conversation(call, now)}"
        case "referral":
            return "Heard which business number to call instead"
        case "reject":
            return f"Rejected: {reason(call.reason)}"
        case "apology":
            return "Heard an apology: the call could not be put through"
        case _:
            return "Its end was reported, its beginning was not"


def reason(word: str | None) -> str:
    """A reason in words; one that this version does not know as it stands in the log."""
    try:
        return REASONS[Reason(word or "")]
    except ValueError:
        return (word or "").replace("_", " ")


def disposition(word: str) -> str:
    """How a call stands, in words."""
    try:
        return DISPOSITIONS[Disposition(word)]
    except ValueError:
        return word.replace("-", " ")


def lasting(seconds: int | None) -> str:
    """Such as `45 s`, `2 min 21 s`, `1 h 02 min`; empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    if minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def attestation(word: str) -> str:
    """What the carrier's check of the caller's number says."""
    if not word.startswith("TN-Validation-Passed"):
        return "its signature could not be verified"
    return _ATTESTED.get(word[-1], "verified")


def source(word: str | None) -> str:
    return _SOURCES.get(word or "", word or "")


def happening(event: LoggedEvent, raw: Mapping[str, Any]) -> Happening:
    """A report of the carrier in words; `raw` are its fields as they may be seen."""
    at = event.occurred_at or event.received_at
    delay = event.received_at - at
    late = lasting(int(delay.total_seconds())) if delay >= _LATE else ""
    fields = {str(name): str(value) for name, value in raw.items()}
    return Happening(at, _what(event, fields), late, fields)


def _what(event: LoggedEvent, fields: dict[str, str]) -> str:
    word = event.key.rpartition(":")[2]
    match event.kind:
        case EventKind.LEG:
            return _LEG.get(word) or f"The business's side of the call: {word}"
        case EventKind.CALL:
            return _CALL.get(word) or f"The call: {word}"
        case EventKind.RECORDING:
            return _RECORDING.get(word) or f"The recording: {word}"
        case EventKind.DIAL:
            outcome = fields.get("DialCallStatus", "")
            return f"Connecting is over: {disposition(outcome)}" if outcome else "Connecting is over"


def _conversation(call: Told, now: datetime) -> str:
    if call.disposition == Disposition.COMPLETED:
        return f"talked for {lasting(call.talk_seconds)}" if call.talk_seconds else "then the call ended"
    try:
        return _CONNECTED[Disposition(call.disposition or "")]
    except (KeyError, ValueError):
        pass
    match standing(call, now):
        case "in-progress":
            return "talking now"
        case "ringing":
            return "ringing now"
        case _:
            return "how it ended was not reported"


@pass_context
def _heard(context: Context, call: Told) -> str:
    return heard(call, context["now"])


@pass_context
def _standing(context: Context, call: Told) -> str:
    return standing(call, context["now"])


def _reason(word: str | None) -> str:
    return sentence(reason(word))


def install(pages: Blueprint) -> None:
    """Give templates the filters of this file."""
    pages.add_app_template_filter(_heard, "heard")
    pages.add_app_template_filter(_standing, "standing")
    pages.add_app_template_filter(_reason, "reason")
    pages.add_app_template_filter(disposition, "disposition")
    pages.add_app_template_filter(lasting, "lasting")
    pages.add_app_template_filter(source, "source")
    pages.add_app_template_filter(attestation, "attestation")

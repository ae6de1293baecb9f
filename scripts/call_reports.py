"""What Twilio reports of a call that was dialled on, for `hookswitch call --status`.

Fields as in twilio.com/docs/voice/twiml/dial ("action") and …/twiml/number ("statusCallbackEvent").
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime

OUTCOMES = ("completed", "busy", "no-answer", "failed", "canceled")

_RINGS = timedelta(seconds=6)
_TALKS = timedelta(seconds=42)

Report = tuple[str, dict[str, str]]
"""The event in the webhook's address, and the form."""


def reports(
    call: dict[str, str],
    destination: str,
    outcome: str,
    began: datetime,
    *,
    rings: timedelta = _RINGS,
    talks: timedelta = _TALKS,
) -> Iterator[Report]:
    """Tell the rest of the call `call`, which was connected to `destination` at the aware UTC `began`."""
    leg = call | {
        "CallSid": "CA" + secrets.token_hex(16),
        "ParentCallSid": call["CallSid"],
        "From": call["To"],
        "To": destination,
        "Direction": "outbound-dial",
        "CallbackSource": "call-progress-events",
    }
    answered = outcome == "completed"
    rang_until = began + rings
    ended = rang_until + talks if answered else rang_until
    talked = str(int(talks.total_seconds())) if answered else "0"

    def of_leg(number: int, status: str, at: datetime) -> Report:
        return "status", leg | {
            "CallStatus": status,
            "SequenceNumber": str(number),
            "Timestamp": format_datetime(at),
            "CallDuration": talked,
        }

    yield of_leg(0, "initiated", began)
    yield of_leg(1, "ringing", began)
    if answered:
        yield of_leg(2, "in-progress", rang_until)
    yield of_leg(3, outcome, ended)
    dialled = {"DialCallSid": leg["CallSid"], "DialCallStatus": outcome}
    yield "dial", call | dialled | ({"DialCallDuration": talked} if answered else {})
    seconds = int((ended - began).total_seconds())
    of_call = {"CallStatus": "completed", "CallDuration": str(seconds), "Timestamp": format_datetime(ended)}
    yield "status", call | of_call

"""Connecting a caller to the business."""

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases
from prompts.saying import as_bytes, say
from routing.decision import Connect
from routing.route import CallerId

RING_TIMEOUT = 25
"""Seconds the business rings where its number does not say; Twilio adds five of its own."""
SHORTEST_RING = 5
LONGEST_RING = 600
SHORTEST_TALK = 60
LONGEST_TALK = 14_400
"""Seconds; four hours, which is Twilio's own limit (twilio.com/docs/voice/twiml/dial#timelimit)."""
_CALL_EVENTS = "initiated ringing answered completed"


def twiml(decision: Connect, *, caller_withheld: bool, callbacks: str | None = None) -> bytes:
    """One `<Dial>`, as the first verb unless the call is recorded and the caller has to be told so.

    `caller_withheld`: the caller gave no number that a far carrier would take as caller ID.
    `callbacks`: the address below which the carrier reports on this call; None asks for no reports.
    """

    def callback(path: str, *, wanted: bool = True) -> str | None:
        return f"{callbacks}/{path}" if callbacks and wanted else None

    response = VoiceResponse()
    if decision.record:
        say(response, phrases.of(decision.language).consent, decision.language)
    dial = response.dial(
        answer_on_bridge=True,
        timeout=_ring_timeout(decision),
        time_limit=_talk_limit(decision),
        caller_id=_caller_id(decision, caller_withheld=caller_withheld),
        record="record-from-answer-dual" if decision.record else None,
        action=callback("dial"),
        recording_status_callback=callback("recording", wanted=decision.record),
    )
    whispering = decision.whispering_number_id
    dial.number(
        decision.destination.e164,
        url=callback(f"whisper/{whispering}", wanted=whispering is not None),
        status_callback=callback("status"),
        status_callback_event=_CALL_EVENTS if callbacks else None,
    )
    return as_bytes(response)


def _ring_timeout(decision: Connect) -> int:
    if decision.ring_timeout is None:
        return RING_TIMEOUT
    return min(max(decision.ring_timeout, SHORTEST_RING), LONGEST_RING)


def _talk_limit(decision: Connect) -> int:
    """Always said: a call that nobody ends costs by the minute."""
    if decision.talk_limit is None:
        return LONGEST_TALK
    return min(max(decision.talk_limit, SHORTEST_TALK), LONGEST_TALK)


def _caller_id(decision: Connect, *, caller_withheld: bool) -> str | None:
    """Leave it to the carrier, which shows the caller, or name our own number.

    A caller that is no number would be passed on as it is, and the far carrier may refuse the call
    (Twilio error 13214).
    """
    if caller_withheld or decision.caller_id is CallerId.TRACKING_NUMBER:
        return decision.tracking_number.e164
    return None

"""The carrier could not get an answer from `voice`: say something, whatever else is broken."""

from collections.abc import Callable

import structlog

from prompts.render import LAST_RESORT
from webhooks import replies
from webhooks.door import Door, Refused
from webhooks.replies import Reply
from webhooks.requests import CarrierRequest

log = structlog.get_logger()


REHEARSAL = "0"
"""The error code of `hookswitch doctor`, which asks whether we would answer; carriers send another."""


class FallbackWebhook:
    """Answers `fallback` with an apology; needs neither Redis nor SQL. Never raises."""

    def __init__(self, door: Door, count: Callable[[str], None] = lambda _decision: None) -> None:
        self._door = door
        self._count = count

    def answer(self, request: CarrierRequest) -> Reply:
        try:
            form = self._door.admit(request)
            self._door.check_account(form)
            if form.text("ErrorCode") == REHEARSAL:
                return replies.twiml(LAST_RESORT)
            self._count("fallback")
            # Twilio says what went wrong with `voice`: 11200 and its kin (twilio.com/docs/api/errors).
            log.error("call.fell_back", call_sid=form.text("CallSid"), error_code=form.text("ErrorCode"))
        except Refused as refusal:
            return refusal.reply
        except Exception as error:  # noqa: BLE001 - a caller is waiting: whatever it is, say something
            log.critical("fallback.failed", error=type(error).__name__)
        return replies.twiml(LAST_RESORT)

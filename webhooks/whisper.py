"""Tell the business what call this is, before it is bridged."""

from collections.abc import Callable

import structlog

from prompts import whisper
from routing.arrival import FactsUnavailable
from webhooks import replies
from webhooks.door import Door, Refused
from webhooks.replies import Reply
from webhooks.requests import CarrierRequest

log = structlog.get_logger()

SILENCE = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Bridges at once: a call without its whisper is better than no call."""


class WhisperWebhook:
    """Answers `whisper/<number id>`. Never raises.

    `load` reads a tracking number's whisper and raises `FactsUnavailable`.
    """

    def __init__(self, door: Door, load: Callable[[int], str | None]) -> None:
        self._door = door
        self._load = load

    def answer(self, request: CarrierRequest) -> Reply:
        try:
            self._door.check_account(self._door.admit(request))
            text = self._load(int(request.target.partition("?")[0].rpartition("/")[2]))
        except Refused as refusal:
            return refusal.reply
        except (FactsUnavailable, ValueError, OverflowError) as error:
            log.warning("whisper.unavailable", error=type(error).__name__)
            text = None
        except Exception as error:
            log.critical("whisper.failed", error=type(error).__name__, exc_info=True)
            text = None
        return replies.twiml(whisper.twiml(text) if text else SILENCE)

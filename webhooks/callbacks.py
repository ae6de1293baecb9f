"""What the carrier reports of a call after it was answered: the `<Dial>` ended, states, recordings."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from prompts import closing
from prompts.render import LAST_RESORT
from routing.events import CallEvent
from routing.numbers import PhoneNumber, dialled_number
from routing.recorder import Recorder
from routing.route import Route
from webhooks import replies
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form
from webhooks.door import Door, Refused
from webhooks.replies import Reply
from webhooks.requests import CarrierRequest

log = structlog.get_logger()


class CarrierEvents(Protocol):
    """How a carrier words its reports; each raises `Malformed` and `ForeignAccount`."""

    def dial_ended(self, form: Form, received_at: datetime) -> CallEvent: ...
    def status(self, form: Form, received_at: datetime) -> CallEvent: ...
    def recording_status(self, form: Form, received_at: datetime) -> CallEvent: ...


class CallbackWebhooks:
    """Answers `dial`, `status` and `recording`. Never raises.

    Each report is written down before it is answered; one that cannot be read is logged and taken
    all the same, since the carrier would only send it again.
    """

    def __init__(
        self,
        *,
        door: Door,
        events: CarrierEvents,
        recorder: Recorder,
        find: Callable[[PhoneNumber], Route | None],
    ) -> None:
        self._door = door
        self._events = events
        self._recorder = recorder
        self._find = find

    def dial(self, request: CarrierRequest) -> Reply:
        """The call is the caller's again: say why nobody answered, then hang up."""
        try:
            form = self._door.admit(request)
            event = self._taken(self._events.dial_ended, form)
            return replies.twiml(closing.after_dial(event.update.disposition, self._language_of(form)))
        except Refused as refusal:
            return refusal.reply
        except Exception as error:
            log.critical("dial.failed", error=type(error).__name__, exc_info=True)
            return replies.twiml(LAST_RESORT)

    def status(self, request: CarrierRequest) -> Reply:
        return self._note(self._events.status, request)

    def recording(self, request: CarrierRequest) -> Reply:
        return self._note(self._events.recording_status, request)

    def _note(self, read: Callable[[Form, datetime], CallEvent], request: CarrierRequest) -> Reply:
        try:
            self._taken(read, self._door.admit(request))
        except Refused as refusal:
            return refusal.reply
        except Exception as error:
            log.critical("callback.failed", error=type(error).__name__, exc_info=True)
        return replies.NOTHING_TO_SAY

    def _taken(self, read: Callable[[Form, datetime], CallEvent], form: Form) -> CallEvent:
        try:
            event = read(form, datetime.now(UTC))
        except (ForeignAccount, Malformed) as error:
            raise self._door.untakeable(error) from None
        self._recorder.remember(event)
        return event

    def _language_of(self, form: Form) -> str:
        number = dialled_number(form.text("To"))
        route = None if number is None else self._find(number)
        prompt = None if route is None or route.campaign is None else route.campaign.prompt
        return "en" if prompt is None else prompt.language

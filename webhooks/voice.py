"""An inbound call arrives: check it, route it, word the answer.

Free of any framework: this is the one path where every microsecond is paid by a caller.
"""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter

import structlog

from prompts.render import LAST_RESORT, Renderer
from routing.arrival import Arrival
from routing.call import InboundCall
from routing.decision import Apologise, Decision
from routing.router import Router
from webhooks import replies
from webhooks.carriers.form import Form
from webhooks.door import Door, Refused, rehearsed_instant
from webhooks.replies import Reply
from webhooks.requests import CarrierRequest

log = structlog.get_logger()

REHEARSED_INSTANT = "HookswitchAt"
"""Form field in which `hookswitch call --at` names the instant to play; see `VoiceWebhook`."""


class VoiceWebhook:
    """Answers `voice`. Never raises: the last resort is an apology in TwiML.

    `rehearsal` lets a correctly signed request name the instant it is to be decided for. It is for
    an installation that only its own machine can reach; a real carrier never sends the field.
    `answered` hears of every call that got its answer, and how many seconds that took; `failed` of
    those that got the last resort.
    """

    def __init__(
        self,
        *,
        door: Door,
        router: Router,
        renderer: Renderer,
        clock: Callable[[], datetime],
        rehearsal: bool = False,
        answered: Callable[[Arrival, Decision, float], None] = lambda _arrival, _decision, _seconds: None,
        failed: Callable[[], None] = lambda: None,
        alert: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self._door = door
        self._router = router
        self._renderer = renderer
        self._clock = clock
        self._rehearsal = rehearsal
        self._answered = answered
        self._failed = failed
        self._alert = alert

    def answer(self, request: CarrierRequest) -> Reply:
        began = perf_counter()
        call: InboundCall | None = None
        try:
            form = self._door.admit(request)
            call = self._door.call_in(form, self._instant(form))
            arrival = self._router.route(call)
            decision = arrival.decision
            if isinstance(decision, Apologise):
                self._alert(decision.reason)
                log.error("call.not_connectable", call_sid=call.call_sid, reason=decision.reason)
            reply = replies.twiml(self._renderer.twiml(decision, caller_withheld=call.caller is None))
            self._answered(arrival, decision, perf_counter() - began)
        except Refused as refusal:
            return refusal.reply
        except Exception as error:
            self._failed()
            call_sid = None if call is None else call.call_sid
            log.critical("call.failed", call_sid=call_sid, error=type(error).__name__, exc_info=True)
            return replies.twiml(LAST_RESORT)
        return reply

    def _instant(self, form: Form) -> datetime:
        rehearsed = rehearsed_instant(form, REHEARSED_INSTANT) if self._rehearsal else None
        return rehearsed or self._clock()

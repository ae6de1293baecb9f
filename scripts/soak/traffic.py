"""The load: calls at a steady rate to numbers in every state, and what becomes of each of them."""

import asyncio
import random
import threading
import time
from datetime import UTC, datetime

from routing.numbers import PhoneNumber
from scripts.call import voice_form
from scripts.call_reports import OUTCOMES, Report, reports
from scripts.settings import Settings
from scripts.soak.answers import parsed
from scripts.soak.carrier import Carrier
from scripts.soak.ledger import Call, Ledger

_CALLERS = ("+14155550142", "+14155550143", "anonymous", "+266696687", "sip:ann@example.com")
_REPEATED = 0.05
"""Share of webhooks that come twice."""
_DISORDERLY = 0.2
"""Share of calls whose reports come in any order."""
_LONGEST_PAUSE = 1.0
"""Seconds between a call's webhooks."""
_TALKED = 42
"""Seconds, in `scripts.call_reports`."""


class Traffic:
    """Rings `numbers` from a thread of its own, until `stop`."""

    def __init__(
        self, carrier: Carrier, settings: Settings, numbers: list[str], rate: float, chance: random.Random
    ) -> None:
        self.ledger = Ledger()
        self._carrier = carrier
        self._settings = settings
        self._numbers = numbers
        self._rate = rate
        self._chance = chance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="carrier")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> Ledger:
        """Ring nobody any more, let the calls end, return the books."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        return self.ledger

    async def _run(self) -> None:
        calls: set[asyncio.Task[None]] = set()
        due = time.monotonic()
        while not self._stop.is_set():
            call = asyncio.create_task(self._call(self._chance.choice(self._numbers)))
            calls.add(call)
            call.add_done_callback(calls.discard)
            due += 1 / self._rate
            await asyncio.sleep(due - time.monotonic())
        await asyncio.gather(*calls)

    async def _call(self, number: str) -> None:
        form = voice_form(self._settings, PhoneNumber(number), self._chance.choice(_CALLERS), None)
        call = Call(form["CallSid"], number)
        self.ledger.calls[call.sid] = call
        rings = [self._ring(call, form)]
        if self._chance.random() < _REPEATED:
            rings.append(self._ring(call, form, self._pause()))
        await asyncio.gather(*rings)
        await self._tell(call, form)

    async def _ring(self, call: Call, form: dict[str, str], pause: float = 0.0) -> None:
        await asyncio.sleep(pause)
        call.heard.append(await self._carrier.ring(form))

    async def _tell(self, call: Call, form: dict[str, str]) -> None:
        """Report what became of the call; once taken, a report is expected in the log."""
        answer = call.heard[0].answer
        now = datetime.now(UTC)
        if answer is not None and answer.destination is not None:
            outcome = self._chance.choice(OUTCOMES)
            told = list(reports(form, answer.destination, outcome, now))
            talked = _TALKED if outcome == "completed" else None
        else:
            # Twilio ends a rejected call as "no-answer" (twilio.com/docs/voice/twiml/reject).
            rejected = answer is not None and answer.decision == "reject"
            outcome, talked = "no-answer" if rejected else "completed", None
            told = [("status", form | {"CallStatus": outcome, "CallDuration": "0" if rejected else "9"})]
        if self._chance.random() < _DISORDERLY:
            self._chance.shuffle(told)
        for report in told:
            await asyncio.sleep(self._pause())
            times = 2 if self._chance.random() < _REPEATED else 1
            taken = await asyncio.gather(*(self._report(report) for _ in range(times)))
            if all(taken):
                call.reports += 1
            else:
                self.ledger.unheard.append(f"{report[0]} of {call.sid}")
        call.disposition, call.talk_seconds = outcome, talked

    async def _report(self, report: Report) -> bool:
        event, form = report
        sent = time.monotonic()
        reply = await self._carrier.post(event, form)
        self.ledger.report_seconds.append(time.monotonic() - sent)
        if reply is None:
            return False
        return parsed(reply.body) is not None if event == "dial" else not reply.body

    def _pause(self) -> float:
        return self._chance.uniform(0, _LONGEST_PAUSE)

"""The courier: takes lanes in which something is due, sends, and writes down what came of it.

One thread and one event loop, however many receivers hang. A receiver gets one event at a time until
it has shown that it takes them, then a few; events of one call never at the same time.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from models import webhook_queue
from models.database import Database
from models.webhook_endpoint import TEST_EVENT
from models.webhook_queue import LEASE, Due, Lane, Tried
from webhooks.outgoing import schedule
from webhooks.outgoing.sending import Answer
from webhooks.outgoing.signing import headers_of

log = structlog.get_logger()

ROUND = 0.2
"""Seconds from one look for what is due to the next."""
_SHORTEST_ROUND = 0.05
"""While there is much to do, a round takes what has come meanwhile in one go."""
_DEPTH = 50
"""Deliveries that are taken of one lane at a time."""
_MOST_LANES = 500
"""In work at the same time; each has a connection or a few."""
_FASTEST = 8
"""Connections to one endpoint."""
_GONE = 410
_LAST_PATIENCE = 3.0
"""Seconds that a worker which stops waits for answers; what is cut off is sent again."""


class Sends(Protocol):
    """Posts, and says what came of it."""

    async def post(self, address: str, headers: dict[str, str], body: bytes) -> Answer: ...
    def close(self) -> None: ...


class Courier:
    """One worker's part of all deliveries. Raises what the database raises; nothing is lost by it.

    What was sent and could not be written down is sent again, under the same id.
    """

    def __init__(
        self,
        database: Database,
        sender: Sends,
        worker: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._sender = sender
        self._worker = worker
        self._clock = clock
        self._lease = lease
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._pace: dict[int, int] = {}
        """How many connections an endpoint may have; those who are not in it, one."""
        self._tried: list[Tried] = []
        self._gone: dict[int, datetime] = {}
        self._renew_at = time.monotonic()

    def work(self, seconds: float = ROUND) -> int:
        """One round: take what is due, send for so long, write down; return how many attempts ended."""
        loop = self._loop = self._loop or asyncio.new_event_loop()
        self._keep_lanes()
        for lane in self._take_lanes():
            self._lanes[lane.endpoint_id] = loop.create_task(self._walk(lane))
        loop.run_until_complete(self._wait(seconds))
        return self._write_down()

    def finish(self, patience: float = _LAST_PATIENCE) -> None:
        """Wait a little for those who are being asked, take nothing new, give all lanes back."""
        if self._loop is None:
            return
        try:
            self._loop.run_until_complete(self._end(patience))
            self._write_down()
        finally:
            self._sender.close()
            self._loop.close()

    async def _end(self, patience: float) -> None:
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=patience)
        for task in self._lanes.values():
            task.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        """Let the lanes go on for so long, or until all are done and a moment is over."""
        if self._lanes:
            at_least = asyncio.sleep(min(seconds, _SHORTEST_ROUND))
            await asyncio.gather(at_least, asyncio.wait(self._lanes.values(), timeout=seconds))
        else:
            await asyncio.sleep(seconds)

    def _keep_lanes(self) -> None:
        if self._lanes and time.monotonic() >= self._renew_at:
            with self._database.session() as session:
                webhook_queue.keep_lanes(session, self._worker, self._clock() + self._lease)
            self._renew_at = time.monotonic() + self._lease.total_seconds() / 3

    def _take_lanes(self) -> Sequence[Lane]:
        room = _MOST_LANES - len(self._lanes)
        if room <= 0:
            return ()
        now = self._clock()
        with self._database.reading() as session:
            waiting = webhook_queue.lanes_waiting(session, now, self._lanes.keys(), room)
        if not waiting:
            return ()
        with self._database.session() as session:
            until = now + self._lease
            return webhook_queue.take_lanes(session, self._worker, waiting, now, until=until, depth=_DEPTH)

    async def _walk(self, lane: Lane) -> None:
        """Send what is due in a lane, several subjects side by side; stop where it does not answer."""
        subjects: dict[str, list[Due]] = {}
        for due in sorted(lane.due, key=lambda due: due.id):
            subjects.setdefault(due.subject, []).append(due)
        if lane.failures:
            # One attempt tells whether it is there again.
            subjects = {subject: dues[:1] for subject, dues in list(subjects.items())[:1]}
        queue = list(reversed(subjects.values()))
        walk = _Walk(lane, queue, lane.failures)
        pace = 1 if lane.failures else self._pace.get(lane.endpoint_id, 1)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(pace, len(queue))):
                group.create_task(self._go_along(walk))
        self._pace[lane.endpoint_id] = 1 if walk.failures else min(_FASTEST, pace + 1)

    async def _go_along(self, walk: "_Walk") -> None:
        while walk.queue and not walk.stopped:
            for due in walk.queue.pop():
                if not await self._try(walk, due):
                    break  # what comes later of the same subject waits

    async def _try(self, walk: "_Walk", due: Due) -> bool:
        """Make one attempt; return whether to go on with what comes next."""
        lane = walk.lane
        at, began = self._clock(), time.monotonic()
        answer = await self._post(lane, due, at)
        took = time.monotonic() - began
        ended = self._clock()
        if answer.problem is None:
            walk.failures = 0
            next_at = blocked = None
        else:
            walk.failures += 1
            delay = (
                None if due.event == TEST_EVENT else schedule.next_delay(due.attempts + 1, answer.retry_after)
            )
            next_at = None if delay is None else ended + delay
            pause = schedule.block(answer.status, walk.failures, answer.retry_after)
            blocked = None if pause is None else ended + pause
            walk.stopped |= blocked is not None or answer.status == _GONE
            if answer.status == _GONE:
                self._gone[lane.endpoint_id] = ended
        self._tried.append(
            Tried(
                endpoint_id=lane.endpoint_id,
                delivery_id=due.id,
                at=at,
                status=answer.status,
                milliseconds=round(took * 1000),
                problem=answer.problem,
                answer=answer.body,
                next_at=next_at,
                blocks_until=blocked,
            )
        )
        return answer.problem is None and not walk.stopped

    async def _post(self, lane: Lane, due: Due, at: datetime) -> Answer:
        body = due.body.encode()
        try:
            headers = headers_of(due.message_id, at, body, lane.secrets)
            return await self._sender.post(lane.address, headers, body)
        except Exception:
            # A defect with one endpoint must not hold up the others.
            log.exception("webhook.attempt_broke", endpoint=lane.endpoint_id, delivery=due.id)
            return Answer(None, "it failed on our side, before it was sent")

    def _write_down(self) -> int:
        """Write all that is known by now; what could not be written is tried again in the next round."""
        done = [endpoint_id for endpoint_id, task in self._lanes.items() if task.done()]
        tried = self._tried
        if not (tried or done or self._gone):
            return 0
        now = self._clock()
        with self._database.session() as session:
            webhook_queue.settle(session, tried)
            webhook_queue.leave_lanes(session, self._worker, done, now)
            for endpoint_id, at in self._gone.items():
                webhook_queue.disable(session, endpoint_id, "the receiver answered 410: it is gone", at)
        for endpoint_id in self._gone:
            log.warning("webhook.endpoint_gone", endpoint=endpoint_id)
        self._tried, self._gone = [], {}
        for endpoint_id in done:
            del self._lanes[endpoint_id]
        return len(tried)


class _Walk:
    """One lane being worked on, by a few at once."""

    def __init__(self, lane: Lane, queue: list[list[Due]], failures: int) -> None:
        self.lane = lane
        self.queue = queue
        self.failures = failures
        self.stopped = False

"""Write down what happened to a call: in the journal, else in the log, else in this host's spool."""

from collections.abc import Callable
from typing import Protocol

import redis
import structlog

from routing.arrival import Arrival, FactsUnavailable
from routing.breaker import Breaker
from routing.events import CallEvent

log = structlog.get_logger()

Happening = Arrival | CallEvent


class CallJournal(Protocol):
    """What the recorder needs of the journal; raises `redis.RedisError`."""

    def append(self, happening: Happening) -> None: ...


def call_sid_of(happening: Happening) -> str:
    match happening:
        case Arrival():
            return happening.call.call_sid
        case CallEvent():
            return happening.call_sid


class Recorder:
    """Remembers; never raises for a store that fails.

    `record` writes to the log and raises `FactsUnavailable` where the database does not answer in
    time; `spool` keeps it on this host for a worker and raises `OSError`. Two ways may be taken for
    one call, when a store took longer than it was given: the log knows a call by its carrier and
    CallSid, and makes one row of it.
    """

    def __init__(
        self,
        *,
        journal: CallJournal,
        record: Callable[[Happening], None],
        spool: Callable[[Happening], None],
        breaker: Breaker,
        count: Callable[[str], None] = lambda _event: None,
    ) -> None:
        self._journal = journal
        self._record = record
        self._spool = spool
        self._breaker = breaker
        self._count = count

    def remember(self, happening: Happening) -> None:
        """Journal it, or write it to the log."""
        if not self._breaker.allows():
            self.remember_without_redis(happening)
            return
        asked_at = self._breaker.now()
        try:
            self._journal.append(happening)
        except redis.RedisError as error:
            self.redis_failed(error)
            self.remember_without_redis(happening)
        else:
            self._breaker.answered(asked_at)

    def remember_without_redis(self, happening: Happening) -> None:
        """Write it to the log, else to the spool; Redis has just failed, or is not asked at present."""
        try:
            self._record(happening)
        except FactsUnavailable:
            self._count("call_spooled")
        else:
            return
        try:
            self._spool(happening)
        except OSError as error:
            self._count("call_not_logged")
            log.critical("call.not_logged", call_sid=call_sid_of(happening), error=type(error).__name__)

    def redis_failed(self, error: redis.RedisError) -> None:
        """Tell the breaker how Redis failed.

        A server that answers "no" (out of memory, read-only) is alive: falling back at once is
        enough. One that does not answer costs a time-out each call until the breaker opens.
        """
        if isinstance(error, redis.ResponseError):
            self._breaker.succeeded()
        else:
            self._breaker.failed()
        self._count("redis_" + type(error).__name__)
        log.warning("index.unreachable", error=type(error).__name__)

"""Route one call: ask the index, else the database, else apologise; journal it in any case."""

from collections.abc import Callable
from typing import Protocol

import redis
import structlog

from routing.arrival import Arrival, FactsUnavailable, Source
from routing.breaker import Breaker
from routing.call import InboundCall
from routing.index.lookup import Miss
from routing.numbers import PhoneNumber
from routing.route import Route

log = structlog.get_logger()


class Index(Protocol):
    """What the router needs of the campaign index; raises `redis.RedisError`."""

    def arrive(self, call: InboundCall, dialled: PhoneNumber) -> Route | Miss: ...
    def route_of(self, number: PhoneNumber) -> Route | Miss: ...


class CallJournal(Protocol):
    """What the router needs of the journal; raises `redis.RedisError`."""

    def append(self, arrival: Arrival) -> None: ...


class Router:
    """Routes calls. `route` never raises for a store that fails.

    `load` reads a number's route from the database (None: unknown) and `record` writes a call to
    the log directly; both raise `FactsUnavailable` where the database does not answer in time.
    """

    def __init__(
        self,
        *,
        index: Index,
        journal: CallJournal,
        load: Callable[[PhoneNumber], Route | None],
        record: Callable[[Arrival], None],
        breaker: Breaker,
        count: Callable[[str], None] = lambda _event: None,
    ) -> None:
        self._index = index
        self._journal = journal
        self._load = load
        self._record = record
        self._breaker = breaker
        self._count = count

    def route(self, call: InboundCall) -> Arrival:
        """Decide what `call` gets and see to it that the log will know."""
        journaling = self._breaker.allows()
        found: Route | Miss | None = None
        if journaling and call.dialled is not None:
            try:
                found = self._index.arrive(call, call.dialled)
            except redis.RedisError as error:
                self._redis_failed(error)
                journaling = False
                found = self._from_refusing_server(error, call.dialled)
            else:
                self._breaker.succeeded()
                if isinstance(found, Route):
                    return Arrival(call, found, Source.INDEX)
        arrival = self._without_index(call, found)
        self._remember(arrival, in_journal=journaling)
        return arrival

    def _without_index(self, call: InboundCall, found: Route | Miss | None) -> Arrival:
        if isinstance(found, Route):
            return Arrival(call, found, Source.INDEX)
        if call.dialled is None:
            return Arrival(call, None, Source.REQUEST)
        self._count(f"index_{found or 'unreachable'}")
        try:
            return Arrival(call, self._load(call.dialled), Source.DATABASE)
        except FactsUnavailable:
            self._count("database_unreachable")
            # A whole index that does not list the number is a fact; no index at all is none.
            return Arrival(call, None, Source.INDEX if found is Miss.NOT_LISTED else Source.NONE)

    def _remember(self, arrival: Arrival, *, in_journal: bool) -> None:
        """Journal the call, or write it to the log where Redis failed."""
        if in_journal:
            try:
                self._journal.append(arrival)
            except redis.RedisError as error:
                self._redis_failed(error)
            else:
                self._breaker.succeeded()
                return
        try:
            self._record(arrival)
        except FactsUnavailable:
            self._count("call_not_logged")
            log.critical("call.not_logged", call_sid=arrival.call.call_sid)

    def _redis_failed(self, error: redis.RedisError) -> None:
        # A server that answers "no" (out of memory, read-only) is alive: falling back at once is
        # enough. One that does not answer costs a time-out each call until the breaker opens.
        if isinstance(error, redis.ResponseError):
            self._breaker.succeeded()
        else:
            self._breaker.failed()
        self._count("redis_" + type(error).__name__)
        log.warning("index.unreachable", error=type(error).__name__)

    def _from_refusing_server(self, error: redis.RedisError, dialled: PhoneNumber) -> Route | Miss | None:
        """Read the facts all the same from a server that only refuses to write."""
        if not isinstance(error, redis.ResponseError):
            return None
        try:
            return self._index.route_of(dialled)
        except redis.RedisError:
            return None

"""Route one call: ask the index, else the database, else the last-known copy; journal it in any case."""

from collections.abc import Callable
from typing import Protocol

import redis

from routing.arrival import Arrival, FactsUnavailable, Source
from routing.blocks import patterns_of
from routing.breaker import Breaker
from routing.call import InboundCall
from routing.index.lookup import Miss
from routing.numbers import PhoneNumber
from routing.recorder import Recorder
from routing.route import Route


class Index(Protocol):
    """What the router needs of the campaign index; raises `redis.RedisError`."""

    def arrive(self, call: InboundCall, dialled: PhoneNumber) -> Route | Miss: ...
    def route_of(self, number: PhoneNumber, patterns: tuple[str, ...] = ()) -> Route | Miss: ...


class Router:
    """Routes calls. `route` never raises for a store that fails.

    `load` reads a number's route from the database (None: unknown), `last_known` from this host's
    copy, each for a caller who fits some patterns (`blocks.patterns_of`); both raise
    `FactsUnavailable`. The recorder shares the breaker: both ask the same Redis.
    """

    def __init__(
        self,
        *,
        index: Index,
        recorder: Recorder,
        load: Callable[[PhoneNumber, tuple[str, ...]], Route | None],
        last_known: Callable[[PhoneNumber, tuple[str, ...]], Route | None],
        breaker: Breaker,
        count: Callable[[str], None] = lambda _event: None,
    ) -> None:
        self._index = index
        self._recorder = recorder
        self._load = load
        self._last_known = last_known
        self._breaker = breaker
        self._count = count

    def route(self, call: InboundCall) -> Arrival:
        """Decide what `call` gets and see to it that the log will know."""
        if call.dialled is None:
            arrival = Arrival(call, None, Source.REQUEST)
            self._recorder.remember(arrival)
            return arrival
        found: Route | Miss | None = None
        if self._breaker.allows():
            asked_at = self._breaker.now()
            try:
                found = self._index.arrive(call, call.dialled)
            except redis.RedisError as error:
                self._recorder.redis_failed(error)
                found = self._from_refusing_server(error, call, call.dialled)
                remember = self._recorder.remember_without_redis
            else:
                self._breaker.answered(asked_at)
                if isinstance(found, Route):
                    return Arrival(call, found, Source.INDEX)
                remember = self._recorder.remember
        else:
            remember = self._recorder.remember_without_redis
        arrival = self._without_index(call, call.dialled, found)
        remember(arrival)
        return arrival

    def find(self, number: PhoneNumber) -> Route | None:
        """The facts of a number, without a call or caller; None where nothing is known or can be read."""
        try:
            found = self._index.route_of(number) if self._breaker.allows() else None
        except redis.RedisError as error:
            self._recorder.redis_failed(error)
            found = None
        if isinstance(found, Route):
            return found
        for ask in (self._load, self._last_known):
            try:
                return ask(number, ())
            except FactsUnavailable:
                continue
        return None

    def _without_index(self, call: InboundCall, dialled: PhoneNumber, found: Route | Miss | None) -> Arrival:
        if isinstance(found, Route):
            return Arrival(call, found, Source.INDEX)
        self._count(f"index_{found or 'unreachable'}")
        patterns = patterns_of(call.caller)
        try:
            return Arrival(call, self._load(dialled, patterns), Source.DATABASE)
        except FactsUnavailable:
            self._count("database_unreachable")
        try:
            route = self._last_known(dialled, patterns)
        except FactsUnavailable:
            route = None
        if route is not None:
            # Numbers stay listed when they are released: what the copy has and the index lacks, it lost.
            return Arrival(call, route, Source.SNAPSHOT)
        # A whole index that does not list the number is a fact. A copy that does not have it is none:
        # the number may be younger than the copy.
        return Arrival(call, None, Source.INDEX if found is Miss.NOT_LISTED else Source.NONE)

    def _from_refusing_server(
        self, error: redis.RedisError, call: InboundCall, dialled: PhoneNumber
    ) -> Route | Miss | None:
        """Read the facts all the same from a server that only refuses to write."""
        if not isinstance(error, redis.ResponseError):
            return None
        try:
            return self._index.route_of(dialled, patterns_of(call.caller))
        except redis.RedisError:
            return None

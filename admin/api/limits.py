"""How often somebody may ask: counted in Redis for all processes together, here while Redis is away."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from flask import Flask, Response, g, request

from admin.access.address import throttled_as
from admin.access.identity import Identity
from admin.api.problems import response_to
from admin.errors import TryLater
from routing.breaker import Breaker
from routing.link import RedisClient

WINDOW = 60
"""Seconds, by the clock: every minute begins anew."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute: of one token or session, and failed ones of one address without either."""

    signed_in: int = 600
    unknown: int = 60


class Counters:
    """Counts by subject and minute. Never raises: where Redis does not answer, this process counts."""

    def __init__(self, client: RedisClient, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._breaker = Breaker(threshold=1)
        self._lock = threading.Lock()
        self._window = 0
        self._here: dict[str, int] = {}

    def add(self, subject: str) -> int:
        """Count a request of `subject`; return how many there were in this minute."""
        window = int(self._clock()) // WINDOW
        if self._breaker.allows():
            try:
                counted = self._add_in_redis(f"hs:rate:{subject}:{window}")
            except redis.RedisError:
                self._breaker.failed()
            else:
                self._breaker.succeeded()
                return counted
        return self._add_here(subject, window)

    def seconds_left(self) -> int:
        """Until the minute is over: 1 to 60."""
        return WINDOW - int(self._clock()) % WINDOW

    def _add_in_redis(self, key: str) -> int:
        # Its end comes first, so that no counter stays for ever.
        self._client.set(key, 0, ex=2 * WINDOW, nx=True)
        return int(self._client.incr(key))

    def _add_here(self, subject: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window, self._here = window, {}
            self._here[subject] = self._here.get(subject, 0) + 1
            return self._here[subject]


class Limits:
    """Refuses who asks too often with `TryLater` (429). Stands behind the `Gate`."""

    def __init__(self, counters: Counters, rates: Rates = Rates()) -> None:
        self._counters = counters
        self._rates = rates

    def guard(self, application: Flask, client_address: Callable[[], str]) -> None:
        def count_identified() -> None:
            identity = g.get("identity")
            if identity is not None and _is_ours():
                self._count(_credentials(identity), self._rates.signed_in)

        def count_unknown(answer: Response) -> Response:
            # Afterwards, since only then it is known that nobody was identified; a look at a token is cheap.
            if g.get("identity") is None and _is_ours():
                try:
                    self._count(f"address:{throttled_as(client_address())}", self._rates.unknown)
                except TryLater as error:
                    return response_to(error)
            return answer

        application.before_request(count_identified)
        application.after_request(count_unknown)

    def _count(self, subject: str, most: int) -> None:
        if self._counters.add(subject) > most:
            raise TryLater(self._counters.seconds_left())


def _is_ours() -> bool:
    return request.path.startswith("/api/")


def _credentials(identity: Identity) -> str:
    if identity.token_id is not None:
        return f"token:{identity.token_id}"
    return f"session:{identity.session_id}"

"""A circuit breaker: stop asking a store that does not answer, and ask again now and then."""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import TypeVar


class Breaker:
    """Opens after `threshold` failures in a row; then lets one request per `cool_down` seconds through."""

    def __init__(
        self, threshold: int = 3, cool_down: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cool_down = cool_down
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._threshold

    def allows(self) -> bool:
        """Whether to ask now; while open, exactly one thread per cool-down is told yes."""
        if self._failures < self._threshold:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._cool_down
            return True

    def succeeded(self) -> None:
        if self._failures:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._next_probe = self._clock() + self._cool_down


Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def guarded(
    breaker: Breaker,
    ask: Callable[[Asked], Answer],
    failure: type[Exception],
    *,
    slow: float = inf,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[Asked], Answer]:
    """Ask only while the breaker allows it; `failure` is what `ask` raises, and is raised at once instead.

    An answer that took `slow` seconds or more is used, but counts as a failure: several round trips,
    each just in time, would keep every thread busy and all callers in the queue.
    """

    def guarded_ask(what: Asked) -> Answer:
        if not breaker.allows():
            raise failure("not asked: it has failed several times in a row")
        asked_at = clock()
        try:
            answer = ask(what)
        except failure:
            breaker.failed()
            raise
        if clock() - asked_at < slow:
            breaker.succeeded()
        else:
            breaker.failed()
        return answer

    return guarded_ask

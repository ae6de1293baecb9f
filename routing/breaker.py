"""A circuit breaker: stop asking a store that does not answer, and ask again now and then."""

import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar


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


Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def guarded(
    breaker: Breaker, ask: Callable[Asked, Answer], failure: type[Exception]
) -> Callable[Asked, Answer]:
    """Ask only while the breaker allows it; `failure` is what `ask` raises, and is raised at once instead."""

    def guarded_ask(*what: Asked.args, **named: Asked.kwargs) -> Answer:
        if not breaker.allows():
            raise failure("not asked: it has failed several times in a row")
        try:
            answer = ask(*what, **named)
        except failure:
            breaker.failed()
            raise
        breaker.succeeded()
        return answer

    return guarded_ask

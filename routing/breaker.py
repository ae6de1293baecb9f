"""A circuit breaker: stop asking a store that does not answer, until it does again."""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="breaker", daemon=True).start()


class Breaker:
    """Opens after `threshold` failures in a row; closes when `probe` gets an answer.

    While it is open a thread of its own asks `probe` every `cool_down` seconds, so that no caller
    pays for the question. An answer that takes `slow` seconds or more counts as a failure: answers
    that all come just in time would keep every thread busy and all callers in the queue.
    """

    def __init__(
        self,
        probe: Callable[[], object],
        *,
        threshold: int = 3,
        cool_down: float = 1.0,
        slow: float = inf,
        clock: Callable[[], float] = time.monotonic,
        start: Callable[[Callable[[], None]], None] = _in_background,
    ) -> None:
        """`probe` asks the store something and raises where it does not answer; `start` runs the prober."""
        self._probe = probe
        self._threshold = threshold
        self._cool_down = cool_down
        self._slow = slow
        self._clock = clock
        self._start = start
        self._lock = threading.Lock()
        self._failures = 0
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._failures >= self._threshold

    def allows(self) -> bool:
        """Whether to ask now."""
        return self._failures < self._threshold

    def now(self) -> float:
        """The instant to remember before asking, for `answered`."""
        return self._clock()

    def answered(self, asked_at: float) -> None:
        """The store answered what was asked at `asked_at`."""
        if self._clock() - asked_at < self._slow:
            self.succeeded()
        else:
            self.failed()

    def succeeded(self) -> None:
        if self._failures:
            with self._lock:
                self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures < self._threshold or self._probing:
                return
            self._probing = True
        self._start(self._ask_again)

    def _ask_again(self) -> None:
        while True:
            time.sleep(self._cool_down)
            if self.probe():
                return

    def probe(self) -> bool:
        """Ask once; close where an answer comes in good time, and tell whether the breaker is closed."""
        asked_at = self._clock()
        try:
            if self.is_open:
                self._probe()
                self.answered(asked_at)
        except Exception:  # noqa: BLE001 - whatever it is, the store gave no answer
            self.failed()
        with self._lock:
            # Under the lock: a failure a moment later must find no prober and start the next.
            self._probing = self.is_open
            return not self._probing


def guarded(
    breaker: Breaker, ask: Callable[Asked, Answer], failure: type[Exception]
) -> Callable[Asked, Answer]:
    """Ask only while the breaker allows it; `failure` is what `ask` raises, and is raised at once instead."""

    def guarded_ask(*what: Asked.args, **named: Asked.kwargs) -> Answer:
        if not breaker.allows():
            raise failure("not asked: it has failed several times in a row")
        asked_at = breaker.now()
        try:
            answer = ask(*what, **named)
        except failure:
            breaker.failed()
            raise
        breaker.answered(asked_at)
        return answer

    return guarded_ask

"""What answered calls leave in log and metrics: noted by the caller's thread, written by another.

A call is put into words at once, while all that is said of it is at hand: a moment later that takes
the processor three times as long. Counting and writing are done for many calls together.
"""

import atexit
import threading
import time
from collections import deque

from routing.arrival import Arrival
from routing.decision import Decision, name_of
from scripts.call_lines import Word
from scripts.log_stream import LogStream
from scripts.metrics import Metrics

_EVERY = 0.25
"""Seconds."""
_PORTION = 15
"""Lines; together they are just under what goes into a pipe in one piece (`log_stream`)."""
_Noted = tuple[tuple[str, str, str], float, str]
"""Decision, reason and source; within how many seconds; the line to be written."""


class Traffic:
    """Runs a thread from the start until `close`; to be made after forking."""

    def __init__(
        self,
        counted: Metrics,
        stream: LogStream | None = None,
        word: Word | None = None,
    ) -> None:
        """Count in `counted`; lines go to `stream` as `word` puts them, where there are both."""
        self._counted = counted
        self._stream = stream
        self._word = word if stream is not None else None
        self._waiting: deque[_Noted] = deque()
        self._dropped = 0
        self._carrying = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry_on, name="traffic", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def answered(self, arrival: Arrival, decision: Decision, seconds: float) -> None:
        """Take note of a call that was answered within so many seconds."""
        line = "" if self._word is None else self._word(time.time(), arrival, decision, seconds)
        self._waiting.append(((name_of(decision), decision.reason, arrival.source), seconds, line))

    def carry(self) -> None:
        """Write down all that was handed over."""
        with self._carrying:
            calls = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._counted.add_calls([kind for kind, _, _ in calls], [seconds for _, seconds, _ in calls])
            if self._stream is not None:
                if self._word is not None:
                    # In portions, so that where room is short only some are dropped.
                    for first in range(0, len(calls), _PORTION):
                        self._stream.write("".join(line for _, _, line in calls[first : first + _PORTION]))
                dropped = self._stream.dropped
                self._counted.lines_dropped(dropped - self._dropped)
                self._dropped = dropped
            self._counted.carry()

    def close(self) -> None:
        """Write what is left; another call of `answered` is not written any more."""
        atexit.unregister(self.close)
        self._stop.set()
        self._thread.join()
        self.carry()

    def _carry_on(self) -> None:
        while not self._stop.wait(_EVERY):
            self.carry()

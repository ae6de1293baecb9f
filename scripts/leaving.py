"""The word that a web server is about to stop: its master gives it, its processes pass it on at /readyz."""

import mmap
import signal
from types import FrameType
from typing import Any

# One byte of memory that is shared with every process forked later: nothing to clean up, nothing to fail.
_notice = mmap.mmap(-1, 1)


def is_announced() -> bool:
    return _notice[0] != 0


def announce() -> None:
    _notice[0] = 1


def before_stopping(seconds: float) -> None:
    """Let the first TERM announce the stop, and hand it on to whoever handled it before after `seconds`.

    Calls are taken and answered meanwhile. A second TERM hurries. To be called in the master, when
    its own handlers are set.
    """
    stop: Any = signal.getsignal(signal.SIGTERM)

    def told(_number: int, frame: FrameType | None) -> None:
        hurry = is_announced()
        announce()
        if hurry or seconds <= 0:
            go_on(_number, frame)
        else:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def go_on(_number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        stop(signal.SIGTERM, frame)

    signal.signal(signal.SIGALRM, go_on)
    signal.signal(signal.SIGTERM, told)

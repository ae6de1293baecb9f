"""The one line that each answered call has in the log; put together without structlog's layers.

Those take three times as long, and every call has one. Nothing in it needs escaping: a CallSid is
checked at the door, the rest are words and masked numbers of ours.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from routing.arrival import Arrival
from routing.decision import Decision, name_of
from routing.numbers import PhoneNumber

EVENT = "call.answered"

_JSON = (
    '{"call_sid":"%s","number":%s,"caller":%s,"decision":"%s","reason":"%s","source":"%s",'
    '"milliseconds":%.2f,"event":"' + EVENT + '","level":"info","timestamp":"%sZ"}\n'
)
_CONSOLE = (
    "%sZ [info     ] " + EVENT.ljust(30) + " call_sid=%s number=%s caller=%s decision=%s reason=%s "
    "source=%s milliseconds=%.2f\n"
)

Word = Callable[[float, Arrival, Decision, float], str]
"""(seconds since 1970, on which facts, with what, how many seconds it took) → one line."""


def writer_of(form: Literal["console", "json"]) -> Word:
    """How to put a call into words."""
    return _as_json if form == "json" else _for_people


def _as_json(at: float, arrival: Arrival, decision: Decision, seconds: float) -> str:
    call = arrival.call
    return _JSON % (
        call.call_sid,
        _quoted(call.dialled),
        _quoted(call.caller),
        name_of(decision),
        decision.reason,
        arrival.source,
        seconds * 1000,
        _instant(at),
    )


def _for_people(at: float, arrival: Arrival, decision: Decision, seconds: float) -> str:
    call = arrival.call
    return _CONSOLE % (
        _instant(at),
        call.call_sid,
        call.dialled,
        call.caller,
        name_of(decision),
        decision.reason,
        arrival.source,
        seconds * 1000,
    )


def _quoted(number: PhoneNumber | None) -> str:
    return "null" if number is None else f'"{number.masked}"'


def _instant(at: float) -> str:
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1_000_000):06d}"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    """Remembered: a busy process has hundreds of calls in the same second."""
    return datetime.fromtimestamp(at, UTC).isoformat()[:19]

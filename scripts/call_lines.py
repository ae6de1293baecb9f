"""The one line that each answered call has in the log; put together without structlog's layers.

Those take three times as long, and every call has one. Nothing in it needs escaping: a CallSid is
checked at the door, the rest are words and masked numbers of ours.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
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

Answered = tuple[float, Arrival, Decision, float]
"""When (seconds since 1970), on which facts, with what, and how many seconds that took."""


def writer_of(form: Literal["console", "json"]) -> Callable[[Iterable[Answered]], str]:
    """How to put calls into words, a line each."""
    return _as_json if form == "json" else _for_people


def _as_json(calls: Iterable[Answered]) -> str:
    return "".join(
        [
            _JSON
            % (
                arrival.call.call_sid,
                _quoted(arrival.call.dialled),
                _quoted(arrival.call.caller),
                name_of(decision),
                decision.reason,
                arrival.source,
                seconds * 1000,
                _instant(at),
            )
            for at, arrival, decision, seconds in calls
        ]
    )


def _for_people(calls: Iterable[Answered]) -> str:
    return "".join(
        [
            _CONSOLE
            % (
                _instant(at),
                arrival.call.call_sid,
                arrival.call.dialled,
                arrival.call.caller,
                name_of(decision),
                decision.reason,
                arrival.source,
                seconds * 1000,
            )
            for at, arrival, decision, seconds in calls
        ]
    )


def _quoted(number: PhoneNumber | None) -> str:
    return "null" if number is None else f'"{number.masked}"'


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")[:26]

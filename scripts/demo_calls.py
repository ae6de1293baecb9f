"""Past calls for the demo, so that its call log and its reports have something to show.

They are decided on the demo's own campaigns as those stood at the time, and end in every way that
calls end. Callers have numbers of the range 555-01xx, which are nobody's; the same each time.
"""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models.call_log import record
from models.database import Database
from models.routes import route_of
from routing.arrival import Arrival, Source
from routing.blocks import patterns_of
from routing.call import InboundCall
from routing.decision import Connect, Refer
from routing.events import CallEvent
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.call_reports import reports
from webhooks.carriers.form import parse_form
from webhooks.carriers.twilio_events import TwilioEvents

DAYS = 75
"""How far back they go: a month, the month before it, and what makes it no round number."""
_ZONE = ZoneInfo("America/Los_Angeles")
_ACCOUNT = "AC" + "0" * 32
_SEED = 20
_CALLS_A_WEEKDAY = (9, 10, 12, 11, 14, 8, 4)
"""From Monday on."""
_GROWTH = 1.4
"""How many times as many calls as at the beginning come in the end."""
_HOURS = (0, 0, 0, 0, 0, 1, 2, 6, 14, 18, 17, 14, 10, 12, 14, 15, 13, 9, 6, 4, 3, 2, 1, 0)
"""How likely each hour of the day is, in the zone of the demo."""
_NUMBERS = {0: 26, 1: 18, 2: 16, 3: 12, 4: 5, 5: 2, 6: 2, 7: 6, 8: 4, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1}
"""How often each is dialled, by its last two digits."""
_REGIONS = (
    ("415", "SAN FRANCISCO", "CA", 30),
    ("510", "OAKLAND", "CA", 22),
    ("707", "SANTA ROSA", "CA", 14),
    ("916", "SACRAMENTO", "CA", 10),
    ("775", "RENO", "NV", 6),
    ("503", "PORTLAND", "OR", 5),
    ("212", "NEW YORK", "NY", 3),
    ("604", "VANCOUVER", "BC", 2),
)
_WITHHELD = 0.06
_PREMIUM = 0.01
"""Callers that the demo's block list keeps out."""
_OUTCOMES = {"completed": 78, "no-answer": 11, "busy": 4, "canceled": 6, "failed": 1}
_AGAIN = 0.45
"""How likely a caller has called before."""
_CLOSE = timedelta(minutes=30)
"""Nothing is seeded so shortly before now: every seeded call is over."""


def load(database: Database, now: datetime) -> int:
    """Write the calls of the last `DAYS` into a demo that has just been loaded; return how many."""
    with database.reading() as session:
        happened = list(_Past(session, now).happenings())
    record(database, happened, now, "demo")
    return sum(isinstance(happening, Arrival) for happening in happened)


class _Past:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._dice = random.Random(_SEED)  # noqa: S311 - the same demo each time
        self._known: list[tuple[PhoneNumber, int]] = []
        self._events = TwilioEvents(_ACCOUNT)
        self._routes: dict[tuple[PhoneNumber, tuple[str, ...]], Route | None] = {}

    def happenings(self) -> Iterator[Arrival | CallEvent]:
        today = self._now.astimezone(_ZONE).date()
        for back in range(DAYS, -1, -1):
            day = today - timedelta(days=back)
            for at in self._times(day):
                if at < self._now - _CLOSE:
                    yield from self._call(at)

    def _times(self, day: date) -> Sequence[datetime]:
        age = (self._now.astimezone(_ZONE).date() - day).days / DAYS
        usual = _CALLS_A_WEEKDAY[day.weekday()] * (_GROWTH - (_GROWTH - 1) * age)
        count = max(0, round(self._dice.gauss(usual, math.sqrt(usual) / 1.5)))
        hours = self._dice.choices(range(24), _HOURS, k=count)
        clocks = [time(hour, self._dice.randrange(60), self._dice.randrange(60)) for hour in hours]
        return sorted(datetime.combine(day, clock, _ZONE).astimezone(UTC) for clock in clocks)

    def _call(self, at: datetime) -> Iterator[Arrival | CallEvent]:
        [last_two] = self._dice.choices(list(_NUMBERS), list(_NUMBERS.values()))
        dialled = PhoneNumber(f"+150055501{last_two:02d}")
        caller, city, state = self._caller()
        call = InboundCall(
            "twilio",
            f"CA{self._dice.getrandbits(128):032x}",
            at,
            dialled,
            caller=caller,
            caller_city=city,
            caller_state=state,
            caller_country=None if state is None else "CA" if state == "BC" else "US",
            attestation=None if caller is None else f"TN-Validation-Passed-{self._dice.choice('AAAB')}",
        )
        arrival = Arrival(call, self._route(dialled, caller), Source.INDEX)
        yield arrival
        match arrival.decision:
            case Connect(destination=destination):
                [outcome] = self._dice.choices(list(_OUTCOMES), list(_OUTCOMES.values()))
                yield from self._ended(call, destination.e164, outcome)
            case Refer():
                seconds = self._dice.choice((9, 14, 21, 24, 24))
                yield self._events.call_status(
                    parse_form(urlencode(_form(call) | _over(seconds)).encode()),
                    at + timedelta(seconds=seconds),
                )
            case _:
                pass

    def _ended(self, call: InboundCall, destination: str, outcome: str) -> Iterator[CallEvent]:
        rings = timedelta(seconds=self._dice.randint(3, 28))
        talks = timedelta(seconds=min(1_800, int(self._dice.lognormvariate(4.6, 0.8))))
        told_at = call.received_at + rings + (talks if outcome == "completed" else timedelta(0))
        for event, report in reports(
            _form(call), destination, outcome, call.received_at, rings=rings, talks=talks
        ):
            form = parse_form(urlencode(report).encode())
            yield (
                self._events.dial_ended(form, told_at)
                if event == "dial"
                else self._events.status(form, told_at)
            )

    def _caller(self) -> tuple[PhoneNumber | None, str | None, str | None]:
        fate = self._dice.random()
        if fate < _WITHHELD:
            return None, None, None
        if fate < _WITHHELD + _PREMIUM:
            return PhoneNumber("+19005550144"), None, None
        if self._known and self._dice.random() < _AGAIN:
            number, place = self._dice.choice(self._known[-60:])
        else:
            [place] = self._dice.choices(range(len(_REGIONS)), [region[3] for region in _REGIONS])
            number = PhoneNumber(f"+1{_REGIONS[place][0]}55501{self._dice.randrange(100):02d}")
            self._known.append((number, place))
        return number, _REGIONS[place][1], _REGIONS[place][2]

    def _route(self, dialled: PhoneNumber, caller: PhoneNumber | None) -> Route | None:
        key = dialled, patterns_of(caller)
        if key not in self._routes:
            self._routes[key] = route_of(self._session, *key)
        return self._routes[key]


def _form(call: InboundCall) -> dict[str, str]:
    """What the carrier sends with every report of a call."""
    return {
        "AccountSid": _ACCOUNT,
        "CallSid": call.call_sid,
        "From": "anonymous" if call.caller is None else call.caller.e164,
        "To": "" if call.dialled is None else call.dialled.e164,
        "Direction": "inbound",
    }


def _over(seconds: int) -> dict[str, str]:
    return {"CallStatus": "completed", "CallDuration": str(seconds)}

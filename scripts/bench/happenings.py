"""Journal entries in the mix of real traffic: arrivals, and what carriers report of each call."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from urllib.parse import urlencode

import click

from routing.arrival import Arrival, Source
from routing.index.batching import in_batches
from routing.index.lookup import CampaignIndex
from routing.journal import fields_of
from routing.recorder import Happening
from routing.route import Route
from scripts.bench.installation import Installation
from scripts.bench.seeding import destination_at, number_at
from scripts.bench.traffic import call_form
from scripts.call_reports import OUTCOMES, reports
from webhooks.carriers.form import Form, parse_form
from webhooks.carriers.twilio import Twilio
from webhooks.carriers.twilio_events import TwilioEvents

_SPREAD = 2_000
"""Entries of other calls that come between two of one call, at most: they overlap."""
_CONNECTED = 0.7
"""Share of calls that are connected and reported on until their end; the others are rejected."""


def happenings(
    installation: Installation, positions: Sequence[int], count: int, now: datetime
) -> list[Happening]:
    """Make `count` entries of calls to the seeded numbers, read from forms as the carrier posts them."""
    chance = random.Random(2)  # noqa: S311 - the same entries in each run
    caller = _Caller(installation, chance, now)
    made: list[tuple[float, Happening]] = []
    while len(made) < count:
        begins = float(len(made))
        for happening in caller.call(chance.choice(positions)):
            made.append((begins, happening))
            begins += chance.uniform(1, _SPREAD)
    made.sort(key=itemgetter(0))
    return [happening for _, happening in made[:count]]


def journal(installation: Installation, entries: Sequence[Happening]) -> None:
    """Append them as web processes do, but many at a time."""
    stream = installation.layout.journal(0)
    for some in in_batches(entries):
        with installation.redis.pipeline(transaction=False) as pipeline:
            for entry in some:
                pipeline.xadd(stream, fields_of(entry))
            pipeline.execute()


class _Caller:
    """Makes what one call leaves in the journal, from its arrival to its last report."""

    def __init__(self, installation: Installation, chance: random.Random, now: datetime) -> None:
        account = installation.settings.twilio
        self._account_sid = account.account_sid
        self._carrier = Twilio(account.account_sid, installation.settings.public_base_url, account.tokens)
        self._events = TwilioEvents(account.account_sid)
        self._index = CampaignIndex(installation.redis, installation.layout)
        self._routes: dict[int, Route] = {}
        self._chance = chance
        self._now = now

    def call(self, position: int) -> Iterator[Happening]:
        form = call_form(self._account_sid, number_at(position), self._chance)
        yield Arrival(self._carrier.inbound_call(_read(form), self._now), self._route(position), Source.INDEX)
        if self._chance.random() > _CONNECTED:
            over = form | {"CallStatus": "no-answer", "CallDuration": "0"}
            yield self._events.status(_read(over), self._now)
            return
        outcome = self._chance.choice(OUTCOMES)
        for event, fields in reports(form, destination_at(position).e164, outcome, self._now):
            read = self._events.dial_ended if event == "dial" else self._events.status
            yield read(_read(fields), self._now)

    def _route(self, position: int) -> Route:
        if position not in self._routes:
            found = self._index.route_of(number_at(position))
            if not isinstance(found, Route):
                raise click.ClickException("a seeded number was not found in the index")
            self._routes[position] = found
        return self._routes[position]


def _read(form: dict[str, str]) -> Form:
    return parse_form(urlencode(form).encode())

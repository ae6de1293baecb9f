"""Journal entries in the mix of real traffic: arrivals, and what carriers report of each call."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
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
    made: list[tuple[float, Happening]] = []
    while len(made) < count:
        begins = float(len(made))
        for happening in _of_one_call(installation, chance, chance.choice(positions), now):
            made.append((begins, happening))
            begins += chance.uniform(1, _SPREAD)
    made.sort(key=lambda one: one[0])
    return [happening for _, happening in made[:count]]


def journal(installation: Installation, entries: Sequence[Happening]) -> None:
    """Append them as web processes do, but many at a time."""
    stream = installation.layout.journal(0)
    for some in in_batches(entries):
        with installation.redis.pipeline(transaction=False) as pipeline:
            for entry in some:
                pipeline.xadd(stream, fields_of(entry))
            pipeline.execute()


def _of_one_call(
    installation: Installation, chance: random.Random, position: int, now: datetime
) -> Iterator[Happening]:
    account = installation.settings.twilio
    carrier = Twilio(account.account_sid, installation.settings.public_base_url, account.tokens)
    events = TwilioEvents(account.account_sid)
    form = call_form(account.account_sid, number_at(position), chance)
    call = carrier.inbound_call(_read(form), now)
    route = CampaignIndex(installation.redis, installation.layout).route_of(number_at(position))
    if not isinstance(route, Route):
        raise click.ClickException("the index does not have the seeded numbers")
    yield Arrival(call, route, Source.INDEX)
    if chance.random() > _CONNECTED:
        yield events.status(_read(form | {"CallStatus": "no-answer", "CallDuration": "0"}), now)
        return
    for event, fields in reports(form, destination_at(position).e164, chance.choice(OUTCOMES), now):
        read = events.dial_ended if event == "dial" else events.status
        yield read(_read(fields), now)


def _read(form: dict[str, str]) -> Form:
    return parse_form(urlencode(form).encode())

"""What a lookup costs its caller, in an index of one size and in one of another."""

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter_ns, thread_time_ns
from typing import TypeVar

import click

from routing.call import InboundCall
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex
from routing.link import RedisClient
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.bench.figures import percentile
from scripts.bench.seeding import number_at

_T = TypeVar("_T")
_LOOKUPS = 10_000
_MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one lookup, in microseconds; `cpu` is the caller's own processor time."""

    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Sized:
    """An index that holds the seeded numbers from 0 up to `size`."""

    client: RedisClient
    layout: Layout
    size: int


def with_journal(sized: Sized, seed: int) -> Cost:
    """Look up and journal calls to random numbers, as the webhook does; the journal is emptied after."""
    index = CampaignIndex(sized.client, sized.layout)
    calls = [_call(number) for number in _numbers(sized.size, seed)]
    try:
        return _cost(lambda call: index.arrive(call, call.dialled or number_at(0)), calls)
    finally:
        sized.client.delete(*map(sized.layout.journal, sized.layout.all_partitions()))


def alone(sized: Sized, seed: int) -> Cost:
    """Look up random numbers, leaving no trace."""
    index = CampaignIndex(sized.client, sized.layout)
    return _cost(index.route_of, _numbers(sized.size, seed))


def _cost(ask: Callable[[_T], object], questions: Sequence[_T]) -> Cost:
    ask(questions[0])  # connects, and hands over the script
    times: list[float] = []
    cpu = thread_time_ns()
    for question in questions:
        began = perf_counter_ns()
        answer = ask(question)
        times.append((perf_counter_ns() - began) / _MICRO)
        if not isinstance(answer, Route):
            raise click.ClickException(f"a seeded number was not found in the index: {answer}")
    cpu = thread_time_ns() - cpu
    return Cost(percentile(times, 0.5), percentile(times, 0.99), cpu / _MICRO / len(questions))


def _numbers(size: int, seed: int) -> list[PhoneNumber]:
    chance = random.Random(seed)  # noqa: S311 - the same numbers in each run
    return [number_at(chance.randrange(size)) for _ in range(_LOOKUPS)]


def _call(dialled: PhoneNumber) -> InboundCall:
    return InboundCall(
        carrier="twilio",
        call_sid="CA" + secrets.token_hex(16),
        received_at=datetime.now(UTC),
        dialled=dialled,
        caller=PhoneNumber("+14155550142"),
        caller_city="SAN FRANCISCO",
        caller_state="CA",
        caller_country="US",
        attestation="TN-Validation-Passed-A",
    )

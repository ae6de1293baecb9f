"""When a delivery that failed is tried again, and for how long an endpoint is left in peace."""

import random
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""From one attempt to the next: with the first, ten attempts in three days (Standard Webhooks, "Retry
schedule")."""
_JITTER = 0.2
LONGEST_PATIENCE = timedelta(hours=1)
"""What a receiver may ask for at most in `Retry-After`."""
_LONGEST_BLOCK = timedelta(minutes=1)
_THROTTLES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
Chance = Callable[[], float]
"""From 0 to 1."""


def next_delay(
    attempts: int, retry_after: timedelta | None, chance: Chance = random.random
) -> timedelta | None:
    """How long to wait after that many attempts, a little more each time; None: it is given up."""
    if attempts > len(RETRIES):
        return None
    delay = RETRIES[attempts - 1] * (1 + _JITTER * chance())
    return delay if retry_after is None else max(delay, min(retry_after, LONGEST_PATIENCE))


def block(status: int | None, failures: int, retry_after: timedelta | None) -> timedelta | None:
    """For how long nothing is sent to an endpoint after its failure number `failures` in a row.

    None where it answered and only did not like what it got: the next event may please it better.
    """
    if status is not None and status not in _THROTTLES:
        return None
    patience = min(_LONGEST_BLOCK, timedelta(seconds=2 ** min(failures - 1, 6)))
    return patience if retry_after is None else max(patience, min(retry_after, LONGEST_PATIENCE))

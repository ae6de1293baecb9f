"""What the worker does with the carrier: complete the call log from its records, four times an hour."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import redis
import structlog

from models.database import Database
from models.reconciliation import earliest_lacking
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts.carrier import CREDENTIALS_ADVICE, open_account
from scripts.reconciling import CarrierAccount, Reconciler
from scripts.settings import Settings
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused

log = structlog.get_logger()

CARRIER = "twilio"
GRACE = timedelta(minutes=10)
"""How long reports, and calls in journal and spool, are waited for before the carrier is asked."""
OVERLAP = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
_EVERY = timedelta(minutes=15)
_CLOCKS = timedelta(minutes=1)
_LOOK_EVERY = 30.0
"""Seconds between two looks whether it is time."""


class CarrierKeeper:
    """What the worker does with the carrier. Raises what the database raises, and what `pause` raises.

    Does nothing in a local trial. Of several workers one has the turn, as long as Redis remembers it;
    should two work at once, the log becomes the same.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        client: RedisClient,
        layout: Layout,
        *,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause` waits so many seconds before the carrier is asked again."""
        self._settings = settings
        self._database = database
        self._redis = client
        self._layout = layout
        self._pause = pause
        self._clock = clock
        # A worker that was away lets the journal empty itself first: what waits there is not lost.
        self._next_look = clock() + _LOOK_EVERY
        self._account: CarrierAccount | None = None

    def keep(self) -> None:
        """One round: reconcile when it is time and nobody else is at it."""
        if not self._settings.may_ask_carrier or self._clock() < self._next_look:
            return
        self._next_look = self._clock() + _LOOK_EVERY
        if self._takes_turn("reconcile", _EVERY):
            now = datetime.now(UTC)
            far = self._takes_turn("reconcile-far", DAY)
            self._reconcile(now - WEEK if far else self._first_gap(now), now)

    def _takes_turn(self, name: str, lasting: timedelta) -> bool:
        try:
            return bool(self._redis.set(self._layout.turn(name), b"1", nx=True, ex=lasting))
        except redis.RedisError:
            return False  # others say that it is away; the carrier's records do not run away

    def _first_gap(self, now: datetime) -> datetime:
        """Where to begin: shortly before the first call of the last day that lacks something."""
        with self._database.reading() as session:
            earliest = earliest_lacking(session, CARRIER, now - DAY)
        latest = now - GRACE - OVERLAP
        # The carrier's clock had the call a moment before ours.
        return latest if earliest is None else min(earliest - _CLOCKS, latest)

    def _reconcile(self, since: datetime, now: datetime) -> None:
        try:
            self._account = self._account or open_account(self._settings, self._pause)
            reconciler = Reconciler(
                self._account,
                self._database,
                carrier=CARRIER,
                since=since,
                until=now - GRACE,
                now=now,
                progress=lambda _calls: self._pause(0),
            )
            tally = reconciler.run()
        except CredentialsRefused:
            log.warning("reconcile.refused", error=CREDENTIALS_ADVICE)
        except CarrierUnavailable as error:
            log.warning("reconcile.carrier_unavailable", error=f"the carrier {error}")
        else:
            if tally.changed:
                log.info("reconcile.changed", closed=tally.closed, added=tally.added, unknown=tally.unknown)

"""What the worker does for numbers: give back those whose quarantine is over, settle what was begun."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from admin.desk import Desk
from models.database import Database
from models.number_order import unfinished
from scripts.buying import Buyer, InOtherHands
from scripts.carrier import CREDENTIALS_ADVICE
from scripts.number_market import addresses_of, open_numbers
from scripts.purchasing import Stopped
from scripts.returning import return_due
from scripts.settings import Settings
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused

log = structlog.get_logger()

_EVERY = 60.0
"""Seconds."""
_LEFT_ALONE = timedelta(minutes=10)
"""So long an interrupted order waits for whoever gave it to go on himself."""


class NumberKeeper:
    """Raises what the database raises, and what `pause` raises. Does nothing in a local trial.

    Several workers may do so at once: every step is written down before it is done.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        publish: Callable[[], object],
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause` waits so many seconds before the carrier is asked again."""
        self._settings = settings
        self._database = database
        self._desk = Desk(database, lambda: datetime.now(UTC), publish)
        self._pause = pause
        self._clock = clock
        self._next_look = clock()

    def keep(self) -> None:
        """One round, once a minute."""
        if not self._settings.may_ask_carrier or self._clock() < self._next_look:
            return
        self._next_look = self._clock() + _EVERY
        try:
            now = self._desk.clock()
            return_due(self._database, lambda: open_numbers(self._settings, self._pause), now, self._pause)
            self._settle_orders(now)
        except CredentialsRefused:
            log.warning("numbers.refused", error=CREDENTIALS_ADVICE)
        except CarrierUnavailable as error:
            log.warning("numbers.carrier_unavailable", error=f"the carrier {error}")

    def _settle_orders(self, now: datetime) -> None:
        """Finish the purchases that somebody began and left: they cost money. Nothing new is bought."""
        with self._database.reading() as session:
            left = [order.id for order in unfinished(session, begun_before=now - _LEFT_ALONE)]
        for order_id in left:
            self._pause(0)
            carrier = open_numbers(self._settings, self._pause)
            buyer = Buyer(carrier, self._desk, addresses_of(self._settings), pause=self._pause)
            try:
                buyer.run(order_id, only_begun=True)
                log.info("order.settled", order=order_id)
            except InOtherHands:
                pass
            except Stopped as stopped:
                log.warning("order.stopped", order=order_id, error=str(stopped))

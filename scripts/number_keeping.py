"""What the worker does for numbers: carry out orders, settle what was begun, give back what has rested."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from admin.desk import Desk
from models import number_order
from models.database import Database
from scripts.buying import Buyer, InOtherHands
from scripts.carrier import CREDENTIALS_ADVICE
from scripts.number_market import addresses_of, open_numbers
from scripts.purchasing import Stopped
from scripts.returning import return_due
from scripts.settings import Settings
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused

log = structlog.get_logger()

_SELDOM = 60.0
"""Seconds between two looks for what rested long enough, or was begun and left."""
_LEFT_ALONE = timedelta(minutes=10)
"""So long an interrupted order waits for whoever gave it to go on himself."""
_AT_ONCE = 20
"""Orders of one round."""


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
        """`pause` waits so many seconds before the carrier is asked again, and ends the work if it raises."""
        self._settings = settings
        self._database = database
        self._desk = Desk(database, lambda: datetime.now(UTC), publish)
        self._pause = pause
        self._clock = clock
        self._next_look = clock()

    def keep(self) -> None:
        """One round, once a second."""
        if not self._settings.may_ask_carrier:
            return
        try:
            self._carry_out_orders()
            if self._clock() >= self._next_look:
                self._next_look = self._clock() + _SELDOM
                now = self._desk.clock()
                return_due(
                    self._database, lambda: open_numbers(self._settings, self._pause), now, self._pause
                )
                self._settle_orders(now)
        except CredentialsRefused:
            log.warning("numbers.refused", error=CREDENTIALS_ADVICE)
        except CarrierUnavailable as error:
            log.warning("numbers.carrier_unavailable", error=f"the carrier {error}")

    def _carry_out_orders(self) -> None:
        """Go on with the orders of page and API, and of whoever left one to us."""
        with self._desk.reading() as session:
            waiting = number_order.due(session, self._desk.clock(), _AT_ONCE)
        for order_id in waiting:
            try:
                self._run(order_id, only_begun=False)
            except (CarrierUnavailable, CredentialsRefused) as error:
                # The order says so, and when it is tried again; another one may ask for something else.
                log.warning("order.waits", order=order_id, error=f"the carrier {error}")

    def _settle_orders(self, now: datetime) -> None:
        """Finish the purchases that somebody began and left: they cost money. Nothing new is bought."""
        with self._desk.reading() as session:
            left = number_order.unfinished(session, begun_before=now - _LEFT_ALONE)
        for order in left:
            self._run(order.id, only_begun=True)

    def _run(self, order_id: int, *, only_begun: bool) -> None:
        self._pause(0)
        buyer = Buyer(
            open_numbers(self._settings, self._pause),
            self._desk,
            addresses_of(self._settings),
            pause=self._pause,
            progress=lambda _recorded: self._pause(0),
        )
        try:
            buyer.run(order_id, only_begun=only_begun)
            log.info("order.settled" if only_begun else "order.done", order=order_id)
        except InOtherHands:
            pass
        except Stopped as stopped:
            log.warning("order.stopped", order=order_id, error=str(stopped))

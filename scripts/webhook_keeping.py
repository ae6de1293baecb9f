"""What the worker does for webhook endpoints: tell of campaigns that begin and end, send what is due."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from models.campaign_news import tell_by_the_clock
from models.database import Database
from models.webhook_endpoint import anybody_listens
from scripts.settings import Settings
from webhooks.outgoing.addresses import AddressRules
from webhooks.outgoing.courier import Courier
from webhooks.outgoing.sending import Sender

_CLOCK_EVERY = 1.0
"""Seconds."""
_LOOKS_BACK = timedelta(days=7)
"""How far the first look of a worker goes: so long all workers may have been away."""
_OVERLAP = timedelta(minutes=1)
"""Edits that were committed after the instant they speak of; none takes so long."""


class WebhookKeeper:
    """Raises what the database raises; nothing is lost by it. Several workers may do so at once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        worker: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        sender = Sender(AddressRules(settings.webhook_networks), f"Hookswitch/{version('hookswitch')}")
        self._database = database
        self._courier = Courier(database, sender, worker, clock=clock)
        self._clock = clock
        self._told_until = clock() - _LOOKS_BACK
        self._next_look = time.monotonic()

    def keep(self) -> None:
        """One round of the courier, and every second a look at the clock."""
        if time.monotonic() >= self._next_look:
            self._look_at_the_clock()
        self._courier.work()

    def finish(self) -> None:
        """Wait a little for receivers that are being asked, and leave the rest to other workers."""
        self._courier.finish()

    def _look_at_the_clock(self) -> None:
        now = self._clock()
        with self._database.reading() as session:
            listened = anybody_listens(session)
        if listened:
            with self._database.session() as session:
                tell_by_the_clock(session, self._told_until - _OVERLAP, now)
        self._told_until = now
        self._next_look = time.monotonic() + _CLOCK_EVERY

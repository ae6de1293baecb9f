"""What a web process asks of the carrier's market while an operator waits: in bounded time, one at a time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import structlog

from admin.errors import CarrierAway, CarrierRefuses
from admin.number_search import Search
from admin.room import NoRoom
from scripts.carrier import CREDENTIALS_ADVICE, NOT_ASKED
from scripts.number_market import TwilioMarket, open_numbers
from scripts.settings import Settings
from webhooks.carriers.carrier_number import Offer, Price
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused, Refused

log = structlog.get_logger()

_TIMEOUT = 4.0
"""Seconds that one answer may take."""
_PATIENCE = 6.0
"""Seconds after which nothing is tried again."""


class WebMarket:
    """What `admin.number_search.Market` asks for, with the errors of operators; also raises `NoRoom`.

    An operator who waits for the carrier keeps one of the two places of his process.
    """

    name = TwilioMarket.name

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Connects to nothing, and loads the carrier's library at the first question."""
        self._settings = settings
        self._clock = clock
        self._turn = threading.Lock()
        self._until = 0.0

    def check_open(self) -> None:
        if not self._settings.may_ask_carrier:
            raise CarrierRefuses(f"this is {NOT_ASKED.format(address=self._settings.public_base_url)}")

    def offers(self, wanted: Search, limit: int) -> Sequence[Offer]:
        with self._asking():
            return self._market.offers(wanted, limit)

    def price(self, wanted: Search) -> Price | None:
        with self._asking():
            return self._market.price(wanted)

    @cached_property
    def _market(self) -> TwilioMarket:
        return TwilioMarket(open_numbers(self._settings, self._wait, timeout=_TIMEOUT))

    def _wait(self, seconds: float) -> None:
        if self._clock() + seconds > self._until:
            raise CarrierUnavailable("does not answer in time")
        time.sleep(seconds)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A turn to ask, in which the carrier's errors become those of operators."""
        self.check_open()
        if not self._turn.acquire(blocking=False):
            raise NoRoom("somebody else is asking the carrier right now; try again")
        try:
            self._until = self._clock() + _PATIENCE
            yield
        except CredentialsRefused:
            log.warning("market.refused", error=CREDENTIALS_ADVICE)
            raise CarrierRefuses(CREDENTIALS_ADVICE) from None
        except CarrierUnavailable as error:
            log.warning("market.carrier_unavailable", error=f"the carrier {error}")
            raise CarrierAway(f"the carrier {error}; try again in a minute") from None
        except Refused as refused:
            raise CarrierRefuses(f"the carrier {refused}") from None
        finally:
            self._turn.release()

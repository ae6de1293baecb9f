"""Join the carrier's numbers to what orders and searches need of them."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from admin.number_search import Search
from scripts.settings import Settings, is_loopback
from webhooks.carriers.carrier_number import Offer, Price, VoiceAddresses, Wanted

if TYPE_CHECKING:
    from webhooks.carriers.twilio_numbers import TwilioNumbers

# For the carrier, never sent: connect in 2 s, answer in 4 s, once more on a failure, 12 s in all
# (twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
_OVERRIDES = "#rc=1&rp=ct,rt,5xx&ct=2000&rt=4000&tt=12000"


def open_numbers(
    settings: Settings, pause: Callable[[float], object] = time.sleep, *, timeout: float | None = None
) -> "TwilioNumbers":
    """Make the client of the account's numbers; it connects when it is asked.

    `timeout`: seconds for each answer, if not as long as a worker waits.
    """
    # Takes half a second and 30 MB, which whoever does not ask the carrier should not pay.
    from webhooks.carriers.twilio_numbers import TwilioNumbers

    account = settings.twilio
    return TwilioNumbers(
        account.account_sid,
        account.auth_token.reveal(),
        account.api_base_url,
        pause=pause,
        # No proxy out of this machine leads back to it.
        trust_environment=not is_loopback(account.api_base_url),
        timeout=timeout,
    )


def addresses_of(settings: Settings) -> VoiceAddresses:
    """The addresses that a number of ours has at the carrier."""
    return VoiceAddresses(
        voice=f"{settings.public_base_url}/webhooks/twilio/voice{_OVERRIDES}",
        fallback=settings.fallback_url,
        status=f"{settings.public_base_url}/webhooks/twilio/status",
    )


class TwilioMarket:
    """What `admin.number_search.Market` asks for; raises the carrier's errors."""

    name = "twilio"

    def __init__(self, numbers: "TwilioNumbers") -> None:
        self._numbers = numbers

    def check_open(self) -> None:
        """Whoever has the account's client may ask."""

    def offers(self, wanted: Search, limit: int) -> Sequence[Offer]:
        return self._numbers.search(wanted_of(wanted), limit)

    def price(self, wanted: Search) -> Price | None:
        return self._numbers.price(wanted.country or "", wanted.kind)


def wanted_of(search: Search) -> Wanted:
    """The search as carriers take it."""
    return Wanted(
        country=search.country or "",
        kind=search.kind,
        area_code=search.area_code,
        contains=search.contains,
        region=search.region,
        near=search.near,
    )

"""A market of a few numbers, for use cases that ask one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from admin.errors import CarrierRefuses
from admin.number_search import Search
from routing.numbers import PhoneNumber
from webhooks.carriers.carrier_number import Offer, Price


@dataclass
class Stall:
    """Sells `numbers` for 1.15 USD, each as often as it is asked; `closed` says why it sells none."""

    numbers: Sequence[str] = ("+14155551000", "+14155551001", "+14155551002")
    closed: str = ""
    address_required: str = "none"
    asked: list[Search] = field(default_factory=list)
    name: str = "twilio"

    def check_open(self) -> None:
        if self.closed:
            raise CarrierRefuses(self.closed)

    def offers(self, wanted: Search, limit: int) -> Sequence[Offer]:
        self.check_open()
        self.asked.append(wanted)
        return [
            Offer(PhoneNumber(number), "San Francisco", "CA", "US", self.address_required)
            for number in self.numbers[:limit]
        ]

    def price(self, wanted: Search) -> Price | None:
        return Price(Decimal("1.15"), "USD") if wanted.kind == "local" else None

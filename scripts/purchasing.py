"""Take one number from the intent to buy it to a tracking number, each step written down before it is done.

A number is asked for by name, and a carrier that has sold it to us does not sell it again: whoever
does not know whether a purchase came about looks, and then asks for the same number again. So neither a
kill nor a time-out nor two processes at once can buy it twice, or lose it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from admin.access.actor import Actor, on_the_server
from admin.desk import Desk
from admin.number_orders import name_of, record
from models.number_order import NumberOrder, Purchase, PurchaseStep
from routing.numbers import PhoneNumber
from webhooks.carriers.carrier_number import Offer, OwnedNumber, VoiceAddresses, Wanted
from webhooks.carriers.errors import CarrierUnavailable, NotAvailable, Refused

_TRIES = 4
_LOOKS = 3
"""How often we look for a number that the carrier refuses to sell and may have sold to us a moment ago."""
_PAUSE = 1.0
"""Seconds, doubled each time."""


class CarrierNumbers(Protocol):
    """What buying needs of a carrier; errors are those of webhooks/carriers/errors.py."""

    def search(self, wanted: Wanted, limit: int) -> Sequence[Offer]: ...
    def buy(
        self,
        number: PhoneNumber,
        label: str,
        addresses: VoiceAddresses,
        *,
        address_sid: str | None,
        bundle_sid: str | None,
    ) -> OwnedNumber: ...
    def configure(self, sid: str, label: str | None, addresses: VoiceAddresses) -> OwnedNumber | None: ...
    def owned(self, number: PhoneNumber) -> OwnedNumber | None: ...
    def labelled(self, label: str) -> Iterator[OwnedNumber]: ...


class Stopped(Exception):
    """The order cannot go on; what is bought stays. The message says why, and what to do."""


class Purchasing:
    """Works on purchases; several threads may do so at once. Raises the carrier's errors, and `Stopped`."""

    def __init__(
        self,
        carrier: CarrierNumbers,
        desk: Desk,
        addresses: VoiceAddresses,
        pause: Callable[[float], object],
        progress: Callable[[int], object],
    ) -> None:
        self._carrier = carrier
        self._desk = desk
        self._addresses = addresses
        self._pause = pause
        self._progress = progress

    def finish(self, order: NumberOrder, purchase_id: int, *, unsure: bool) -> bool:
        """Take one purchase from step to step; return whether it became a tracking number.

        `unsure`: the carrier may have sold it to us already.
        """
        while True:
            with self._desk.reading() as session:
                purchase = session.get_one(Purchase, purchase_id)
            match purchase.step:
                case PurchaseStep.INTENT:
                    self._buy(order, purchase, unsure=unsure)
                case PurchaseStep.BOUGHT:
                    self._configure(order, purchase)
                case PurchaseStep.CONFIGURED:
                    self._record(order, purchase)
                case PurchaseStep.RECORDED:
                    return True
                case PurchaseStep.FAILED:
                    return False
                case step:
                    assert_never(step)

    def _buy(self, order: NumberOrder, purchase: Purchase, *, unsure: bool) -> None:
        for attempt in range(1, _TRIES + 1):
            owned = self._ours(order, purchase) if unsure else None
            try:
                owned = owned or self._carrier.buy(
                    purchase.number,
                    order.label,
                    self._addresses,
                    address_sid=order.wanted.get("address_sid") or None,
                    bundle_sid=order.wanted.get("bundle_sid") or None,
                )
            except CarrierUnavailable:
                unsure = True
                if attempt == _TRIES:
                    raise
                self._pause(_PAUSE * 2 ** (attempt - 1))
                continue
            except NotAvailable:
                owned = self._looked_for(order, purchase, times=_LOOKS if unsure else 1)
            except Refused as error:
                if not unsure:
                    self._advance(purchase, PurchaseStep.FAILED, problem=str(error))
                raise Stopped(f"the carrier {error}") from error
            if owned is None:
                self._advance(purchase, PurchaseStep.FAILED, problem="somebody else was faster")
            else:
                self._advance(purchase, PurchaseStep.BOUGHT, sid=owned.sid)
            return

    def _ours(self, order: NumberOrder, purchase: Purchase) -> OwnedNumber | None:
        """The number as we have it at the carrier, if this order bought it."""
        owned = self._carrier.owned(purchase.number)
        return owned if owned is not None and owned.label == order.label else None

    def _looked_for(self, order: NumberOrder, purchase: Purchase, *, times: int) -> OwnedNumber | None:
        """Look more than once: what a carrier sold a moment ago may not be in its list yet."""
        for look in range(times):
            if look:
                self._pause(_PAUSE * 2 ** (look - 1))
            if (owned := self._ours(order, purchase)) is not None:
                return owned
        return None

    def _configure(self, order: NumberOrder, purchase: Purchase) -> None:
        label = name_of(order, purchase.position, purchase.number) or purchase.number.e164
        try:
            owned = self._carrier.configure(purchase.carrier_sid or "", label, self._addresses)
        except Refused as error:
            raise Stopped(f"{purchase.number} was bought, and the carrier {error}") from error
        if owned is None:
            self._advance(purchase, PurchaseStep.FAILED, problem="it was given back at the carrier")
        elif owned.is_answered_by(self._addresses):
            self._advance(purchase, PurchaseStep.CONFIGURED, sid=owned.sid)
        else:
            wrong = ", ".join(owned.differs_from(self._addresses)) or "application or trunk"
            raise Stopped(
                f"{purchase.number} was bought, and the carrier does not keep what we set ({wrong});"
                " see it in its console"
            )

    def _record(self, order: NumberOrder, purchase: Purchase) -> None:
        actor = replace(_actor(order), via=order.via)
        with self._desk.writing(actor) as session:
            locked = session.get_one(Purchase, purchase.id, with_for_update=True, populate_existing=True)
            if locked.step is not PurchaseStep.CONFIGURED:
                return
            record(session, order, locked)
        self._progress(1)

    def _advance(
        self, purchase: Purchase, step: PurchaseStep, *, sid: str | None = None, problem: str | None = None
    ) -> None:
        """Write down the next step, unless somebody who took our place has gone on meanwhile."""
        with self._desk.noting() as session:
            locked = session.get_one(Purchase, purchase.id, with_for_update=True, populate_existing=True)
            if locked.step is purchase.step:
                locked.step, locked.problem = step, problem
                locked.carrier_sid = sid or locked.carrier_sid


def _actor(order: NumberOrder) -> Actor:
    return replace(on_the_server(order.group_id), user_id=order.user_id or 0)

"""Buy what an order wants: what was begun is finished first, then as many are begun as are missing.

One process at a time works on an order. Another number is begun only when it is certain that the
one before did not become ours: so no order gets more than it wants.
"""

import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta

from admin.desk import Desk
from admin.number_orders import numbers_of, search_of
from models import number_order
from models.number_order import NumberOrder, OrderStatus
from routing.numbers import PhoneNumber
from scripts.number_market import wanted_of
from scripts.purchasing import CarrierNumbers, Purchasing, Stopped
from webhooks.carriers.carrier_number import VoiceAddresses
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused, Refused

AT_ONCE = 8
"""Requests to the carrier, at most, for one order."""
LEASE = timedelta(seconds=60)
"""How long an order waits for a process that died with it in hand."""
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_PATIENCE = timedelta(days=3)
"""So long a worker tries again by itself while the carrier gives no answer that can be used."""
_SPARE = 10
_LARGEST_SEARCH = 500


class InOtherHands(Exception):
    """Another process works on the order."""


class Buyer:
    """Works on one order at a time, for a command or a worker. Raises what database and carrier raise."""

    def __init__(
        self,
        carrier: CarrierNumbers,
        desk: Desk,
        addresses: VoiceAddresses,
        *,
        pause: Callable[[float], object] = time.sleep,
        progress: Callable[[int], object] = lambda _recorded: None,
    ) -> None:
        """`pause` waits so many seconds, what it raises ends the work; `progress` hears of each number."""
        self._carrier = carrier
        self._desk = desk
        self._purchasing = Purchasing(carrier, desk, addresses, pause, progress)
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._stop = threading.Event()

    def run(self, order_id: int, *, only_begun: bool = False) -> None:
        """Go on with an order until it is complete, or only settle what was begun.

        Raises `InOtherHands`, `Stopped`.
        """
        self._stop.clear()
        self._take(order_id)
        try:
            with self._staying(order_id):
                self._work(order_id, only_begun=only_begun)
        except Stopped as stopped:
            self._leave(order_id, str(stopped), goes_on=False)
            raise
        except (CarrierUnavailable, CredentialsRefused) as error:
            self._leave(order_id, f"the carrier {error}", goes_on=True)
            raise
        except BaseException:
            self._give_back(order_id)
            raise
        if only_begun:
            self._give_back(order_id)
        else:
            self._leave(order_id, None, goes_on=False)

    def _work(self, order_id: int, *, only_begun: bool) -> None:
        with self._desk.reading() as session:
            order = session.get_one(NumberOrder, order_id)
        self._settle(order)
        if only_begun:
            return
        while self._missing(order) and not self._stop.is_set():
            if not self._buy_some(order):
                raise Stopped(self._falling_short(order))
            self._settle(order)
        if self._stop.is_set():
            raise InOtherHands
        with self._desk.noting() as session:
            order = number_order.locked_order(session, order_id)
            if order.cancelled_at is None:
                order.status = OrderStatus.COMPLETE

    def _settle(self, order: NumberOrder) -> None:
        """Finish what was begun, and take in what the carrier has under our label and nobody wrote down."""
        with self._desk.reading() as session:
            begun = [purchase.id for purchase in number_order.under_way(session, order.id)]
        self._at_once(lambda purchase_id: self._purchasing.finish(order, purchase_id, unsure=True), begun)
        for stray in self._carrier.labelled(order.label):
            with self._desk.noting() as session:
                if stray.number in number_order.numbers_of(session, order.id):
                    continue
                found = number_order.begin_purchase(session, order.id, [stray.number], again=True)
                purchase_id = None if found is None else found.id
            if purchase_id is None:
                raise Stopped(
                    f"{stray.number} was bought and is not wanted any more; release it at the carrier"
                )
            self._purchasing.finish(order, purchase_id, unsure=True)

    def _buy_some(self, order: NumberOrder) -> bool:
        """Buy as many as are missing from what is on offer now; False: nothing on offer was new."""
        missing = self._missing(order)
        candidates = deque(self._candidates(order, missing))
        began = threading.Event()

        def buy_one(_place: int) -> None:
            while not self._stop.is_set():
                with self._desk.noting() as session:
                    purchase = number_order.begin_purchase(session, order.id, _taking(candidates))
                    if purchase is None:
                        return
                    purchase_id = purchase.id
                began.set()
                if self._purchasing.finish(order, purchase_id, unsure=False):
                    return

        self._at_once(buy_one, range(missing))
        return began.is_set()

    def _candidates(self, order: NumberOrder, missing: int) -> Iterable[PhoneNumber]:
        if named := numbers_of(order):
            return named
        limit = min(_LARGEST_SEARCH, 2 * missing + _SPARE)
        try:
            return [offer.number for offer in self._carrier.search(wanted_of(search_of(order)), limit)]
        except Refused as error:
            raise Stopped(f"the carrier {error}") from error

    def _missing(self, order: NumberOrder) -> int:
        with self._desk.reading() as session:
            return number_order.still_wanted(session, order.id)

    def _falling_short(self, order: NumberOrder) -> str:
        if numbers_of(order):
            with self._desk.reading() as session:
                lost = {p.number: p.problem for p in number_order.purchases(session, order.id)}
            reasons = [f"{number}: {lost.get(number) or 'held here already'}" for number in numbers_of(order)]
            return f"not to be had: {'; '.join(reasons)}"
        done = order.quantity - self._missing(order)
        return (
            f"the carrier has no more such numbers: {done} of {order.quantity}; try again later,"
            " or order the rest with a wider search"
        )

    def _take(self, order_id: int) -> None:
        with self._desk.noting() as session:
            now = self._desk.clock()
            if not number_order.take(session, order_id, self._worker, now, now + LEASE):
                raise InOtherHands

    def _leave(self, order_id: int, problem: str | None, *, goes_on: bool) -> None:
        """Give the order back with the reason why it stopped, and when a worker tries again, if one did."""
        with self._desk.noting() as session:
            order = number_order.give_back(session, order_id, self._worker)
            if order is None:
                return
            order.problem = problem
            if order.next_at is not None:
                order.next_at = self._next_try(order) if goes_on else None

    def _next_try(self, order: NumberOrder) -> datetime | None:
        """After a quarter of the time that it has been tried for: seldom while a carrier is away for long."""
        now = self._desk.clock()
        tried_for = now - order.created_at
        if tried_for > _PATIENCE:
            return None
        return now + min(_LONGEST_WAIT, max(_SHORTEST_WAIT, tried_for / 4))

    def _give_back(self, order_id: int) -> None:
        with self._desk.noting() as session:
            number_order.give_back(session, order_id, self._worker)

    @contextmanager
    def _staying(self, order_id: int) -> Iterator[None]:
        """Say again and again that we are still at it; stop if somebody else believed that we were not."""
        done = threading.Event()

        def stay() -> None:
            while not done.wait(LEASE.total_seconds() / 3):
                try:
                    self._take(order_id)
                except Exception:  # noqa: BLE001 - whatever it was, we may not go on as if we had it
                    self._stop.set()

        thread = threading.Thread(target=stay, name="order", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _at_once(self, work: Callable[[int], object], items: Sequence[int]) -> None:
        """Do `work` for all, eight at a time; the first error stops what is not begun, and is raised."""
        if not items:
            return
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
            failed = next((future for future in done if future.exception() is not None), None)
            if failed is not None:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                failed.result()


def _taking(candidates: deque[PhoneNumber]) -> Iterator[PhoneNumber]:
    """Take candidates off the list, one by one; several threads may do so."""
    while candidates:
        try:
            yield candidates.popleft()
        except IndexError:
            return

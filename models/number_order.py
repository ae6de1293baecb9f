"""Orders of numbers at the carrier: every step of every purchase is written down before it is done."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.audit import Via
from models.base import Base, words
from models.tracking_number import held_numbers
from routing.numbers import PhoneNumber

DIGEST_LENGTH = 64


class OrderStatus(StrEnum):
    OPEN = "open"
    """Something of it is still to be done."""
    COMPLETE = "complete"


class OrderState(StrEnum):
    """How an order stands at an instant; derived, never stored."""

    WAITING = "waiting"
    """A worker goes on with it by itself."""
    WORKING = "working"
    """Somebody works on it."""
    STOPPED = "stopped"
    """It goes on only if somebody says so: whoever gave it, by the command or the page."""
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    """No more numbers are begun; those that were begun are finished."""


class PurchaseStep(StrEnum):
    """How far one number has come; each is written before the next is tried."""

    INTENT = "intent"
    """It is going to be bought; it may be ours already, if nobody heard the carrier's answer."""
    BOUGHT = "bought"
    """It is ours."""
    CONFIGURED = "configured"
    """Its calls come to us; that was read back."""
    RECORDED = "recorded"
    """It is a tracking number."""
    FAILED = "failed"
    """It is not ours; another one takes its place."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done for it."""
        return self in _SETTLED


_SETTLED = (PurchaseStep.RECORDED, PurchaseStep.FAILED)


class NumberOrder(Base):
    """So many numbers of one kind for one campaign or group.

    The same request (`fingerprint`) is the same order, so that whoever asks again, after a kill or
    at the same time, goes on with it instead of buying twice.
    """

    __tablename__ = "number_orders"
    __table_args__ = (
        UniqueConstraint("fingerprint"),
        CheckConstraint("quantity BETWEEN 1 AND 1000", name="quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(DIGEST_LENGTH))
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    via: Mapped[Via] = mapped_column(words(Via, "via"))
    """Who ordered, and by which door: the audit trail names him for every number."""
    carrier: Mapped[str]
    quantity: Mapped[int]
    wanted: Mapped[Any] = mapped_column(JSON)
    """What the number must be like, and the settings it gets, as they were asked for."""
    label: Mapped[str]
    """What its numbers are called at the carrier until they are set up; no other order's are."""
    status: Mapped[OrderStatus] = mapped_column(words(OrderStatus, "status"), default=OrderStatus.OPEN)
    problem: Mapped[str | None]
    """Why it stopped the last time."""
    worker: Mapped[str | None]
    worked_until: Mapped[datetime | None]
    """Until then only `worker` works on it, unless it gives it back or says that it goes on."""
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    """When a worker goes on with it; None: no worker does by itself."""
    cancelled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def state(self, now: datetime) -> OrderState:
        if self.status is OrderStatus.COMPLETE:
            return OrderState.COMPLETE
        if self.cancelled_at is not None:
            return OrderState.CANCELLED
        if self.worker is not None and self.worked_until is not None and self.worked_until > now:
            return OrderState.WORKING
        return OrderState.STOPPED if self.next_at is None else OrderState.WAITING


class Purchase(Base):
    """One number of an order. A number is on its way in at most one."""

    __tablename__ = "number_purchases"
    __table_args__ = (
        Index(
            "uq_number_purchases_under_way",
            "number",
            unique=True,
            postgresql_where=text("step IN ('intent', 'bought', 'configured')"),
            sqlite_where=text("step IN ('intent', 'bought', 'configured')"),
        ),
        Index(None, "order_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("number_orders.id"))
    number: Mapped[PhoneNumber]
    position: Mapped[int]
    """Which of the order's numbers it is, from 1 on; that of a failed one is given again."""
    step: Mapped[PurchaseStep] = mapped_column(words(PurchaseStep, "step"), default=PurchaseStep.INTENT)
    carrier_sid: Mapped[str | None]
    tracking_number_id: Mapped[int | None] = mapped_column(ForeignKey("tracking_numbers.id"))
    problem: Mapped[str | None]
    created_at: Mapped[datetime]


def order_by_fingerprint(session: Session, fingerprint: str) -> NumberOrder | None:
    return session.scalar(select(NumberOrder).where(NumberOrder.fingerprint == fingerprint))


def open_order(session: Session, order: NumberOrder) -> NumberOrder:
    """Write down a new order, or return the one with the same fingerprint that is there already."""
    try:
        with session.begin_nested():
            session.add(order)
            session.flush()
    except IntegrityError:
        there = order_by_fingerprint(session, order.fingerprint)
        if there is None:
            raise  # something else is wrong, such as a group that does not exist
        return there
    return order


def locked_order(session: Session, order_id: int) -> NumberOrder:
    """The order, which nobody else changes until this transaction ends."""
    return session.get_one(NumberOrder, order_id, with_for_update=True, populate_existing=True)


def due(session: Session, now: datetime, limit: int) -> list[int]:
    """The ids of the orders that a worker goes on with now, those first that have waited longest."""
    free = or_(NumberOrder.worker.is_(None), NumberOrder.worked_until <= now)
    wanted = select(NumberOrder.id).where(NumberOrder.next_at <= now, free)
    return list(session.scalars(wanted.order_by(NumberOrder.next_at, NumberOrder.id).limit(limit)))


def take(session: Session, order_id: int, worker: str, now: datetime, until: datetime) -> bool:
    """Let `worker` work on the order until then, or go on with it; False: somebody else does.

    If it dies, the next one may go on from then on.
    """
    order = locked_order(session, order_id)
    if order.worker not in {None, worker} and order.worked_until is not None and order.worked_until > now:
        return False
    order.worker, order.worked_until = worker, until
    if order.next_at is not None:
        order.next_at = until
    return True


def give_back(session: Session, order_id: int, worker: str) -> NumberOrder | None:
    """Let somebody else go on with what was written down; None: it is in other hands already."""
    order = locked_order(session, order_id)
    if order.worker != worker:
        return None
    order.worker = order.worked_until = None
    return order


def purchases(session: Session, order_id: int) -> list[Purchase]:
    """All of an order, in the order in which they were begun."""
    return list(session.scalars(select(Purchase).where(Purchase.order_id == order_id).order_by(Purchase.id)))


def unsettled() -> ColumnElement[bool]:
    """Whether something is left to be done for a purchase."""
    return Purchase.step.not_in(_SETTLED)


def forget_failed(session: Session, order_id: int) -> None:
    """Let an order try again the numbers that it gave up."""
    gone = delete(Purchase).where(Purchase.order_id == order_id, Purchase.step == PurchaseStep.FAILED)
    session.execute(gone)


def steps_of(session: Session, order_ids: Collection[int]) -> Counter[tuple[int, PurchaseStep]]:
    """How many numbers of each order are at each step; one query."""
    wanted = select(Purchase.order_id, Purchase.step, func.count()).where(Purchase.order_id.in_(order_ids))
    found = session.execute(wanted.group_by(Purchase.order_id, Purchase.step))
    return Counter({(order_id, step): count for order_id, step, count in found})


def numbers_of(session: Session, order_id: int) -> set[PhoneNumber]:
    """The numbers of an order that were not given up."""
    return {p.number for p in purchases(session, order_id) if p.step is not PurchaseStep.FAILED}


def under_way(session: Session, order_id: int) -> list[Purchase]:
    """Those that are neither done nor given up."""
    return [purchase for purchase in purchases(session, order_id) if not purchase.step.is_settled]


def numbers_under_way(session: Session, numbers: Collection[PhoneNumber]) -> set[PhoneNumber]:
    """Which of these numbers some order is buying."""
    wanted = select(Purchase.number).where(Purchase.number.in_(numbers), unsettled())
    return set(session.scalars(wanted))


def still_wanted(session: Session, order_id: int) -> int:
    """How many more have to be begun, so that as many come out as were ordered; none of a cancelled one."""
    order = session.get_one(NumberOrder, order_id, populate_existing=True)
    if order.cancelled_at is not None:
        return 0
    counted = select(func.count()).where(Purchase.order_id == order_id, Purchase.step != PurchaseStep.FAILED)
    return max(0, order.quantity - session.scalars(counted).one())


def begin_purchase(
    session: Session, order_id: int, candidates: Iterable[PhoneNumber], *, again: bool = False
) -> Purchase | None:
    """Write down the intent to buy the first candidate that nobody here holds or is buying.

    None: the order wants no more, or no candidate is left. A number that this order gave up is no
    candidate, unless `again`: then it is ours already, whatever became of the order meanwhile. One
    transaction at a time does so for an order, however many work on it.
    """
    order = locked_order(session, order_id)
    if order.cancelled_at is not None and not again:
        return None
    known = purchases(session, order_id)
    taken = {purchase.position for purchase in known if purchase.step is not PurchaseStep.FAILED}
    free = [position for position in range(1, order.quantity + 1) if position not in taken]
    tried = {purchase.number for purchase in known if not (again and purchase.step is PurchaseStep.FAILED)}
    for number in candidates if free else ():
        if number not in tried and not held_numbers(session, [number]):
            purchase = Purchase(order_id=order_id, number=number, position=free[0])
            if _is_first(session, purchase):
                return purchase
    return None


def _is_first(session: Session, purchase: Purchase) -> bool:
    try:
        with session.begin_nested():
            session.add(purchase)
            session.flush()
    except IntegrityError:  # another order is buying it
        return False
    return True


def unfinished(session: Session, begun_before: datetime) -> list[NumberOrder]:
    """Orders with purchases that were begun before then and are neither done nor given up, oldest first.

    Without those that a worker goes on with anyway.
    """
    left = select(Purchase.order_id).where(unsettled(), Purchase.created_at < begun_before)
    wanted = select(NumberOrder).where(NumberOrder.id.in_(left), NumberOrder.next_at.is_(None))
    return list(session.scalars(wanted.order_by(NumberOrder.id)))

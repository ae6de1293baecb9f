"""Orders of numbers at the carrier: every step of every purchase is written down before it is done."""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, select, text
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
    created_at: Mapped[datetime]


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


def take(session: Session, order_id: int, worker: str, now: datetime, until: datetime) -> bool:
    """Let `worker` work on the order until then, or go on with it; False: somebody else does."""
    order = session.get_one(NumberOrder, order_id, with_for_update=True, populate_existing=True)
    if order.worker not in {None, worker} and order.worked_until is not None and order.worked_until > now:
        return False
    order.worker, order.worked_until = worker, until
    return True


def give_back(session: Session, order_id: int, worker: str, problem: str | None) -> None:
    """Let somebody else go on; what he finds is whatever was written down."""
    order = session.get_one(NumberOrder, order_id, with_for_update=True, populate_existing=True)
    if order.worker == worker:
        order.worker = order.worked_until = None
        order.problem = problem


def purchases(session: Session, order_id: int) -> list[Purchase]:
    """All of an order, in the order in which they were begun."""
    return list(session.scalars(select(Purchase).where(Purchase.order_id == order_id).order_by(Purchase.id)))


def numbers_of(session: Session, order_id: int) -> set[PhoneNumber]:
    """The numbers of an order that were not given up."""
    return {p.number for p in purchases(session, order_id) if p.step is not PurchaseStep.FAILED}


def under_way(session: Session, order_id: int) -> list[Purchase]:
    """Those that are neither done nor given up."""
    return [purchase for purchase in purchases(session, order_id) if purchase.step not in _SETTLED]


def numbers_under_way(session: Session, numbers: Collection[PhoneNumber]) -> set[PhoneNumber]:
    """Which of these numbers some order is buying."""
    wanted = select(Purchase.number).where(Purchase.number.in_(numbers), Purchase.step.not_in(_SETTLED))
    return set(session.scalars(wanted))


def still_wanted(session: Session, order: NumberOrder) -> int:
    """How many more have to be begun, so that as many come out as were ordered."""
    counted = select(func.count()).where(Purchase.order_id == order.id, Purchase.step != PurchaseStep.FAILED)
    return max(0, order.quantity - session.scalars(counted).one())


def begin_purchase(
    session: Session, order_id: int, candidates: Iterable[PhoneNumber], *, again: bool = False
) -> Purchase | None:
    """Write down the intent to buy the first candidate that nobody here holds or is buying.

    None: the order wants no more, or no candidate is left. A number that this order gave up is no
    candidate, unless `again`. One transaction at a time does so for an order, however many work on it.
    """
    order = session.get_one(NumberOrder, order_id, with_for_update=True, populate_existing=True)
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
    """Orders with purchases that were begun before then and are neither done nor given up, oldest first."""
    left = select(Purchase.order_id).where(Purchase.step.not_in(_SETTLED), Purchase.created_at < begun_before)
    return list(session.scalars(select(NumberOrder).where(NumberOrder.id.in_(left)).order_by(NumberOrder.id)))

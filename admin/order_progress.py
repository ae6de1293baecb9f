"""Orders of numbers under way: how far they have come, what stopped them; cancelling, and going on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.drafts import Draft, Instant, Line, Phone, Reading
from admin.errors import Conflict, NotThere
from admin.number_search import Market
from admin.references import require_managing
from admin.views import View
from models.campaign import Campaign
from models.number_order import (
    NumberOrder,
    OrderState,
    PurchaseStep,
    forget_failed,
    locked_order,
    purchases,
    steps_of,
)


class PurchaseView(View):
    """One number of an order."""

    number: Phone
    step: PurchaseStep
    tracking_number_id: int | None
    problem: str | None


class OrderView(View):
    """An order and how far it has come; `problem` says why it stopped the last time."""

    id: int
    state: OrderState
    campaign_id: int | None
    campaign_name: str | None
    group_id: int
    quantity: int
    recorded: Annotated[int, Field(description="of these numbers that are tracking numbers by now")]
    under_way: Annotated[int, Field(description="of them that are being bought and set up")]
    problem: str | None
    next_at: Annotated[Instant | None, Field(description="when a worker goes on with it by itself")]
    created_at: Instant

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it by itself."""
        match self.state:
            case OrderState.COMPLETE | OrderState.STOPPED:
                return True
            case OrderState.CANCELLED:
                return self.next_at is None
            case OrderState.WAITING | OrderState.WORKING:
                return False


class OrderDetail(OrderView):
    """An order with its numbers, in the order in which they were begun; failed ones were not to be had."""

    purchases: list[PurchaseView]


class GoingOn(Draft):
    """What an order lacked, if it lacked something; what is not sent stays."""

    address_sid: Annotated[Line | None, Field(description="of an address at the carrier")] = None
    bundle_sid: Annotated[Line | None, Field(description="of a regulatory bundle at the carrier")] = None


def views(session: Session, orders: Sequence[NumberOrder], now: datetime) -> list[OrderView]:
    """What lists show of orders; two queries, however many they are."""
    steps = steps_of(session, [order.id for order in orders])
    wanted = select(Campaign.id, Campaign.name).where(Campaign.id.in_({o.campaign_id for o in orders}))
    names = {row.id: row.name for row in session.execute(wanted)}
    return [
        OrderView(
            id=order.id,
            state=order.state(now),
            campaign_id=order.campaign_id,
            campaign_name=names.get(order.campaign_id or 0),
            group_id=order.group_id,
            quantity=order.quantity,
            recorded=steps[order.id, PurchaseStep.RECORDED],
            under_way=sum(steps[order.id, step] for step in PurchaseStep if not step.is_settled),
            problem=order.problem,
            next_at=order.next_at,
            created_at=order.created_at,
        )
        for order in orders
    ]


def cancel(session: Session, actor: Actor, order_id: int, now: datetime) -> None:
    """Begin no more numbers; those that were begun are finished, as they may be ours already.

    Raises `NotThere`, `NotAllowed`, and `Conflict` where it is over.
    """
    order = _managed(session, actor, order_id)
    if order.state(now) in {OrderState.COMPLETE, OrderState.CANCELLED}:
        raise Conflict("state", f"the order is {order.state(now).value} already")
    order.cancelled_at = now
    begun = any(not purchase.step.is_settled for purchase in purchases(session, order_id))
    if order.worker is None:
        order.next_at = now if begun else None


def go_on(
    session: Session, actor: Actor, order_id: int, raw: object, now: datetime, *, market: Market
) -> None:
    """Let a worker go on now with an order that stopped (`raw`: `GoingOn`).

    Raises `NotThere`, `NotAllowed`, `Invalid`, `CarrierRefuses`, and `Conflict` where it is over.
    """
    order = _managed(session, actor, order_id)
    reading = Reading()
    draft = reading.read(GoingOn, raw)
    reading.finish()
    if order.state(now) in {OrderState.COMPLETE, OrderState.CANCELLED}:
        raise Conflict("state", f"the order is {order.state(now).value}; place another one")
    market.check_open()
    forget_failed(session, order_id)
    order.wanted = order.wanted | {name: value for name, value in draft.sent.items() if value is not None}
    if order.state(now) is not OrderState.WORKING:
        order.next_at, order.problem = now, None


def visible_order(session: Session, actor: Actor, order_id: int) -> NumberOrder:
    """Raise `NotThere`."""
    order = session.get(NumberOrder, order_id)
    if order is None or not sees_group(session, actor, order.group_id):
        raise NotThere("there is no such order")
    return order


def _managed(session: Session, actor: Actor, order_id: int) -> NumberOrder:
    """The order, which nobody else changes meanwhile."""
    order = visible_order(session, actor, order_id)
    require_managing(session, actor, order.campaign_id)
    return locked_order(session, order_id)


def manages(session: Session, actor: Actor, campaign_id: int | None) -> bool:
    """Whether the actor may cancel an order for this campaign, or for none."""
    if campaign_id is None:
        return actor.is_admin and actor.may_write()
    return actor.manages(session.get_one(Campaign, campaign_id))

"""The list of orders of numbers."""

from collections.abc import Sequence
from datetime import datetime
from operator import eq
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Reading
from admin.lists.listing import Filters, Key, Listing, compared, read_page
from admin.lists.visible import visible
from admin.order_progress import OrderDetail, OrderView, PurchaseView, views, visible_order
from admin.views import Page
from models.number_order import NumberOrder, OrderStatus, Purchase, purchases, unsettled


class OrderFilters(Filters):
    campaign_id: Id | None = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    unfinished: Annotated[
        bool | None, Field(description="whether something is still to be done or to be decided")
    ] = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[OrderView]:
    """The orders that `raw` (an `OrderFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(OrderFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    listing = Listing(
        NumberOrder.id,
        {"created_at": Key(NumberOrder.created_at, datetime)},
        [*seen.among(NumberOrder.group_id), *_conditions(filters)],
    )

    def shown(ids: Sequence[int]) -> list[OrderView]:
        found = {o.id: o for o in session.scalars(select(NumberOrder).where(NumberOrder.id.in_(ids)))}
        return views(session, [found[order_id] for order_id in ids], now)

    return read_page(session, filters, filters.sort, listing, shown)


def one(session: Session, actor: Actor, order_id: int, now: datetime) -> OrderDetail:
    """Raise `NotThere`."""
    order = visible_order(session, actor, order_id)
    numbers = [
        PurchaseView(
            number=purchase.number,
            step=purchase.step,
            tracking_number_id=purchase.tracking_number_id,
            problem=purchase.problem,
        )
        for purchase in purchases(session, order_id)
    ]
    return OrderDetail(**dict(views(session, [order], now)[0]), purchases=numbers)


def _conditions(filters: OrderFilters) -> list[ColumnElement[bool]]:
    found = compared((NumberOrder.campaign_id, eq, filters.campaign_id))
    if filters.unfinished is not None:
        begun = exists().where(Purchase.order_id == NumberOrder.id, unsettled())
        is_open = (NumberOrder.status == OrderStatus.OPEN) & or_(NumberOrder.cancelled_at.is_(None), begun)
        found.append(is_open if filters.unfinished else ~is_open)
    return found

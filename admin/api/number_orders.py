"""`/api/v1/number-orders`."""

from typing import Any

from admin import number_orders as use_cases
from admin import order_progress
from admin.access.gate import current_actor
from admin.api.operations import Asked, Resource
from admin.desk import Desk
from admin.lists import number_orders as lists
from admin.lists.number_orders import OrderFilters
from admin.number_orders import NewOrder
from admin.number_search import Market
from admin.order_plans import OrderPlanView, lay_out
from admin.order_progress import GoingOn, OrderDetail, OrderView
from admin.views import Page

ORDER: dict[str, Any] = {
    "id": 3,
    "state": "working",
    "campaign_id": 7,
    "campaign_name": "Summer leaflet",
    "group_id": 2,
    "quantity": 2,
    "recorded": 1,
    "under_way": 1,
    "problem": None,
    "next_at": "2026-07-01T07:01:00Z",
    "created_at": "2026-07-01T07:00:00Z",
}
_PURCHASES = [
    {"number": "+14155550142", "step": "recorded", "tracking_number_id": 31, "problem": None},
    {"number": "+14155550143", "step": "bought", "tracking_number_id": None, "problem": None},
]
DETAIL: dict[str, Any] = ORDER | {"purchases": _PURCHASES}
_SENT: dict[str, Any] = {
    "campaign_id": 7,
    "quantity": 2,
    "country": "US",
    "area_code": "415",
    "name": "leaflet {n}",
}
_PLAN: dict[str, Any] = {
    "order_id": None,
    "quantity": 2,
    "campaign_id": 7,
    "group_id": 2,
    "destination": "+14155550190",
    "candidates": [
        {
            "number": f"+1415555014{place + 1}",
            "name": f"leaflet {place}",
            "locality": "San Francisco",
            "region": "CA",
            "address_required": "none",
        }
        for place in (1, 2)
    ],
    "names": ["leaflet 1", "leaflet 2"],
    "price": "1.15",
    "monthly": "2.30",
    "currency": "USD",
}


def number_orders(desk: Desk, market: Market) -> Resource:
    resource = Resource(
        "number-orders",
        "Number orders",
        "Numbers that are bought from the carrier, set up, and put on a campaign by a worker, a few "
        "seconds after they were ordered. An order ends with exactly as many numbers as it says, also if "
        "servers die in between. What it lacks stands in `problem`.",
    )

    @resource.get(
        "",
        query=OrderFilters,
        answers=Page[OrderView],
        example={"items": [ORDER], "next_cursor": None, "total": None},
    )
    def list_number_orders(asked: Asked) -> Page[OrderView]:
        """List orders, the newest first."""
        return lists.page(asked.session, asked.actor, asked.query, asked.now)

    @resource.get("/<id:order_id>", answers=OrderDetail, example=DETAIL)
    def show_number_order(asked: Asked, order_id: int) -> OrderDetail:
        """Show an order and how far each of its numbers has come.

        `waiting` and `working` go on by themselves; a `stopped` order waits for somebody to mend what it
        says is wrong.
        """
        return lists.one(asked.session, asked.actor, order_id, asked.now)

    @resource.post("/plan", body=NewOrder, sends=_SENT, answers=OrderPlanView, alone=True, example=_PLAN)
    def plan_number_order(raw: Any) -> OrderPlanView:  # noqa: ANN401 - whatever was sent
        """Show what an order would buy, and what that costs a month. Nothing is bought or written."""
        with desk.reading() as session:
            plan = use_cases.plan(session, current_actor(), raw, market.name)
        return lay_out(plan, market)

    @resource.create("", body=NewOrder, sends=_SENT, answers=OrderDetail, example=DETAIL)
    def order_numbers(asked: Asked) -> OrderDetail:
        """Order numbers: this costs money.

        The same order is never given twice: sent again it answers with the one that is there, whenever
        that was. For as many again send another `key`.
        """
        order = use_cases.place(asked.session, asked.actor, asked.raw, market, asked.now)
        return show_number_order(asked, order.id)

    @resource.post("/<id:order_id>/cancel", answers=OrderDetail, example=DETAIL | {"state": "cancelled"})
    def cancel_number_order(asked: Asked, order_id: int) -> OrderDetail:
        """Buy no more numbers for an order. Those that were begun are finished; they may be ours already."""
        order_progress.cancel(asked.session, asked.actor, order_id, asked.now)
        return show_number_order(asked, order_id)

    @resource.post(
        "/<id:order_id>/resume",
        body=GoingOn,
        sends={"address_sid": "AD0123456789abcdef0123456789abcdef"},
        answers=OrderDetail,
        example=DETAIL | {"state": "waiting"},
    )
    def resume_number_order(asked: Asked, order_id: int) -> OrderDetail:
        """Go on with an order that stopped, once what it lacked is there."""
        order_progress.go_on(asked.session, asked.actor, order_id, asked.raw, asked.now, market=market)
        return show_number_order(asked, order_id)

    return resource

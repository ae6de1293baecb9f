"""Orders of numbers: the list, and the page of one, which follows it while a worker carries it out."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, request

from admin import order_progress
from admin.errors import CarrierRefuses, Conflict
from admin.lists import number_orders as order_list
from admin.number_search import Market
from admin.order_progress import OrderView
from admin.ui import order_forms, scope
from admin.ui.forms import form_of
from admin.ui.frame import Asked, Frame, go_to
from models.number_order import OrderState, PurchaseStep

PART = "order-progress"
"""The element that is fetched again and again."""
_NOBODY_COMES = timedelta(seconds=20)
_STEPS = {
    PurchaseStep.INTENT: "being bought",
    PurchaseStep.BOUGHT: "bought",
    PurchaseStep.CONFIGURED: "set up",
    PurchaseStep.RECORDED: "ready",
    PurchaseStep.FAILED: "not to be had",
}


def orders(frame: Frame, market: Market) -> Blueprint:
    views = Blueprint("orders", __name__)

    @views.get("/tracking-numbers/orders")
    def index() -> Response:
        with frame.reading() as asked:
            raw = {name: request.args[name] for name in ("cursor", "campaign_id") if request.args.get(name)}
            raw["group_id"] = str(scope.chosen(asked.session, asked.actor))
            listed = order_list.page(asked.session, asked.actor, raw, asked.now)
            return frame.page(asked, "orders/index.html", listed=listed, query=raw)

    @views.get("/tracking-numbers/orders/<id:order_id>")
    def show(order_id: int) -> Response:
        with frame.reading() as asked:
            said = _everything(asked, order_id)
            if request.headers.get("HX-Target") == PART:
                if request.args.get("seen") == said["seen"]:
                    # Put there anew, the same would be read out again by a screen reader.
                    return Response(status=204)
                return frame.fragment(asked, "orders/progress.html", **said)
            return frame.page(asked, "orders/page.html", **said)

    @views.post("/tracking-numbers/orders/<id:order_id>/cancel")
    def cancel(order_id: int) -> Response:
        try:
            with frame.writing() as asked:
                order_progress.cancel(asked.session, asked.actor, order_id, asked.now)
        except Conflict as refusal:
            flash(f"Nothing was done: {refusal}.")
        else:
            flash("Cancelled. What was begun is finished; nothing more is bought.")
        return go_to(f"/tracking-numbers/orders/{order_id}")

    @views.post("/tracking-numbers/orders/<id:order_id>/resume")
    def resume(order_id: int) -> Response:
        form = form_of(request.form)
        raw = {name: form[name].strip() for name in order_forms.SIDS if form[name].strip()}
        try:
            with frame.writing() as asked:
                order_progress.go_on(asked.session, asked.actor, order_id, raw, asked.now, market=market)
        except (Conflict, CarrierRefuses) as refusal:
            flash(f"Nothing was done: {refusal}.")
        return go_to(f"/tracking-numbers/orders/{order_id}")

    return views


def _everything(asked: Asked, order_id: int) -> dict[str, Any]:
    order = order_list.one(asked.session, asked.actor, order_id, asked.now)
    lonely = _nobody_comes(asked, order)
    return {
        "order": order,
        "steps": _STEPS,
        "part": PART,
        "seen": f"{order.state.value}-{order.recorded}-{order.under_way}-{len(order.purchases)}-{lonely:d}",
        "manages": order_progress.manages(asked.session, asked.actor, order.campaign_id),
        "nobody_comes": lonely,
    }


def _nobody_comes(asked: Asked, order: OrderView) -> bool:
    """Whether it has been due for so long that no worker seems to run."""
    if order.state is not OrderState.WAITING or order.next_at is None:
        return False
    return order.next_at < asked.now - _NOBODY_COMES


def unfinished_of(asked: Asked, campaign_id: int) -> list[OrderView]:
    """The latest orders for a campaign of which something is still to come, or to be decided."""
    raw = {"campaign_id": campaign_id, "unfinished": True, "limit": 5}
    return order_list.page(asked.session, asked.actor, raw, asked.now).items

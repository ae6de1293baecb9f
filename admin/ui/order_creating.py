"""Provisioning: look for numbers at the carrier, choose, see what it comes to, order.

Nothing here buys: an order is written down, and a worker carries it out.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from admin import number_orders
from admin.access.gate import current_actor
from admin.errors import CarrierAway, CarrierRefuses, Conflict, Invalid
from admin.number_search import Market, OfferView, search
from admin.order_plans import lay_out
from admin.ui import choosing, number_forms, order_forms
from admin.ui.forms import Form, Wrong
from admin.ui.frame import Asked, Frame, go_to
from models.campaign import Campaign


@dataclass(frozen=True, slots=True)
class Found:
    """What the carrier said when it was asked."""

    offers: Sequence[OfferView] | None = None
    """None: it was not asked, or did not answer."""
    problem: str = ""


def order_creating(frame: Frame, market: Market) -> Blueprint:
    views = Blueprint("order_creating", __name__)

    def page(asked: Asked, form: Form, found: Found, status: int = 200) -> Response:
        asked.actor.require_writing()
        offered = {offer.number.e164 for offer in found.offers or ()}
        return frame.page(
            asked,
            "orders/new.html",
            status,
            form=form,
            found=found,
            ticked=order_forms.chosen(form),
            kept=[number for number in order_forms.chosen(form) if number not in offered],
            group=choosing.group_of(asked, form),
            campaigns=choosing.campaign_choices(asked, chosen=form["campaign_id"], mine=True),
            kinds=order_forms.KINDS,
            default_ring=number_forms.DEFAULT_RING,
        )

    def look_for(form: Form) -> Found:
        """Ask the carrier, outside of any transaction."""
        try:
            with frame.place():
                return Found(search(market, current_actor(), order_forms.criteria(form)))
        except Invalid as refusal:
            order_forms.refuse(form, refusal)
            return Found()
        except (CarrierRefuses, CarrierAway) as problem:
            return Found(problem=str(problem))

    def again(form: Form, status: int) -> Response:
        """The page with what was typed and what is wrong with it."""
        found = look_for(form)
        with frame.reading() as asked:
            return page(asked, form, found, status)

    @views.get("/tracking-numbers/orders/new")
    def ask() -> Response:
        """The page; `campaign_id` and `numbers` in the address say for which campaign and which numbers."""
        try:
            market.check_open()
            found = Found()
        except CarrierRefuses as problem:
            found = Found(problem=str(problem))
        with frame.reading() as asked:
            placed = {name: request.args[name] for name in order_forms.SENT if request.args.get(name)}
            group = choosing.group_of(asked, Form(placed))
            return page(asked, order_forms.filled(asked.session, group, placed), found)

    @views.post("/tracking-numbers/orders/new")
    def look() -> Response:
        """What the carrier offers now; settings that nobody touched are those of the campaign's group."""
        form = order_forms.form_of(request.form)
        with frame.reading() as asked:
            asked.actor.require_writing()
            form = choosing.refilled(asked, form)
        found = look_for(form)
        with frame.reading() as asked:
            return page(asked, form, found, 200 if form.is_right else 422)

    @views.post("/tracking-numbers/orders/plan")
    def plan() -> Response:
        """What would be bought, and what it costs."""
        form = order_forms.form_of(request.form)
        try:
            with frame.reading() as asked:
                form = choosing.refilled(asked, form)
                raw = order_forms.read(form, choosing.group_of(asked, form))
                planned = number_orders.plan(asked.session, asked.actor, raw, market.name)
                form.finish()
            with frame.place():
                laid_out = lay_out(planned, market)
        except (Invalid, Conflict, Wrong) as refusal:
            order_forms.refuse(form, refusal)
            return again(form, 422)
        except (CarrierRefuses, CarrierAway) as problem:
            with frame.reading() as asked:
                return page(asked, form, Found(problem=str(problem)), 409)
        sent = {name: form[name] for name in order_forms.SENT} | {"key": secrets.token_hex(8)}
        with frame.reading() as asked:
            group = choosing.group_of(asked, form)
            campaign = (
                None if laid_out.campaign_id is None else asked.session.get(Campaign, laid_out.campaign_id)
            )
            said: dict[str, Any] = {"plan": laid_out, "sent": sent, "campaign": campaign, "group": group}
            return frame.page(asked, "orders/plan.html", form=form, **said)

    @views.post("/tracking-numbers/orders")
    def order() -> Response:
        form = order_forms.form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = order_forms.read(form, choosing.group_of(asked, form))
                placed = number_orders.place(asked.session, asked.actor, raw, market, asked.now)
                form.finish()
                order_id = placed.id
        except (Invalid, Conflict, Wrong) as refusal:
            order_forms.refuse(form, refusal)
            return again(form, 422)
        return go_to(f"/tracking-numbers/orders/{order_id}")

    return views

"""`hookswitch numbers buy`: get numbers from the carrier and put them on a campaign."""

import json
import sys
import time
from typing import Any

import click

from admin import number_orders
from admin.access.actor import Actor
from admin.number_orders import OrderView, Plan
from models.number_order import OrderStatus, PurchaseStep
from scripts.arguments import PHONE_NUMBER
from scripts.buying import LEASE, Buyer, InOtherHands
from scripts.cli import FAILED, run
from scripts.number_desk import NumberDesk, bar, number_desk, printable
from scripts.number_market import TwilioMarket
from scripts.numbers_search import given, search_options
from scripts.purchasing import Stopped
from webhooks.carriers.errors import CarrierUnavailable

_LOOK_EVERY = 0.5
"""Seconds."""
_SHOWN = 20
"""Candidates of a plan."""


@click.command(name="buy")
@click.option("--campaign", "campaign_id", type=int, help="Id of the campaign that they go to.")
@click.option("--group", "group_id", type=int, help="Id of the group, for numbers without a campaign.")
@click.option("--quantity", type=click.IntRange(1, number_orders.MOST_AT_ONCE), help="So many; default: 1.")
@click.option("--number", "numbers", type=PHONE_NUMBER, multiple=True, help="Just this one; may be repeated.")
@search_options
@click.option("--name", help="What each is called; {n} counts them, {number} is the number.")
@click.option("--destination", type=PHONE_NUMBER, help="Where calls connect; default: group's, campaign's.")
@click.option("--address-sid", help="Address at the carrier, where the country wants one.")
@click.option("--bundle-sid", help="Regulatory bundle at the carrier, where the country wants one.")
@click.option("--key", help="Tells orders apart that are the same otherwise; see above.")
@click.option("--apply", is_flag=True, help="Buy. Without it only the plan is shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(apply: bool, as_json: bool, **wanted: Any) -> int:  # noqa: FBT001, ANN401 - click's way
    """Show what would be bought, and with --apply buy it.

    The same command is the same order: run it again after an interruption and it goes on; run it
    again when all is done and it buys nothing. For as many again, give it a --key of your own.
    Example: hookswitch numbers buy --campaign 12 --quantity 5 --area-code 415 --name "Leaflet {n}" --apply
    """
    raw = given(wanted) | ({"numbers": list(wanted["numbers"])} if wanted["numbers"] else {})
    with number_desk() as opened:
        carrier = opened.carrier()
        actor = opened.actor(campaign_id=wanted["campaign_id"], group_id=wanted["group_id"])
        with opened.desk.reading() as session:
            plan = number_orders.plan(session, actor, raw, carrier.name)
        if not apply:
            _show_plan(opened, actor, plan, TwilioMarket(carrier), as_json=as_json)
            return 0
        with opened.desk.noting(actor.author) as session:
            order_id = number_orders.open_one(session, actor, raw, carrier.name, opened.desk.clock()).id
        return carry_out(opened, actor, order_id, as_json=as_json)


def carry_out(opened: NumberDesk, actor: Actor, order_id: int, *, as_json: bool) -> int:
    """Buy what an order still lacks, and say how far it came; the exit status."""
    before = _order(opened, actor, order_id)
    with bar("buying", before.quantity) as advance:
        advance(before.recorded)
        buyer = Buyer(opened.carrier(), opened.desk, opened.addresses, progress=advance)
        try:
            if before.status is OrderStatus.OPEN:
                _run(buyer, opened, actor, order_id)
        except (Stopped, CarrierUnavailable) as error:
            reason = str(error) if isinstance(error, Stopped) else f"the carrier {error}"
            after = _order(opened, actor, order_id)
            _report(before, after, as_json=as_json)
            raise click.ClickException(
                f"order {order_id} has {after.recorded} of {after.quantity} numbers: {reason}."
                " What was begun is written down; the same command goes on"
            ) from error
    after = _order(opened, actor, order_id)
    _report(before, after, as_json=as_json)
    return 0 if after.status is OrderStatus.COMPLETE else FAILED


def _run(buyer: Buyer, opened: NumberDesk, actor: Actor, order_id: int) -> None:
    waited = False
    while True:
        try:
            return buyer.run(order_id)
        except InOtherHands:
            if not waited:
                click.echo(
                    f"order {order_id} is in the hands of another process, or of one that died less than"
                    f" {LEASE.seconds} s ago; waiting",
                    err=True,
                )
                waited = True
            time.sleep(_LOOK_EVERY)
        if _order(opened, actor, order_id).status is OrderStatus.COMPLETE:
            return None


def _order(opened: NumberDesk, actor: Actor, order_id: int) -> OrderView:
    with opened.desk.reading() as session:
        return number_orders.show(session, actor, order_id)


def _report(before: OrderView, order: OrderView, *, as_json: bool) -> None:
    if as_json:
        click.echo(order.model_dump_json())
        return
    for purchase in order.purchases:
        if purchase.step is not PurchaseStep.FAILED:
            note = f"  ({printable(purchase.problem)})" if purchase.problem else ""
            click.echo(f"{purchase.number.e164:<17}{purchase.step.value}{note}")
    if order.status is OrderStatus.COMPLETE and before.status is OrderStatus.COMPLETE:
        click.echo(
            f"order {order.id} was complete already: nothing was bought."
            " For as many again, add --key with a word of your own"
        )
    elif order.status is OrderStatus.COMPLETE:
        lost = sum(purchase.step is PurchaseStep.FAILED for purchase in order.purchases)
        others = f"; {lost} others were not to be had" if lost else ""
        click.echo(f"order {order.id} is complete: {order.recorded} numbers bought, set up and held{others}")


def _show_plan(opened: NumberDesk, actor: Actor, plan: Plan, market: TwilioMarket, *, as_json: bool) -> None:
    order = plan.order
    named = number_orders.numbers_of(order)
    offered = named or [offer.number for offer in market.offers(plan.search, order.quantity)]
    price = None if named else market.price(plan.search)
    done = 0 if plan.is_new else _order(opened, actor, order.id).recorded
    if as_json:
        shown = {
            "order_id": None if plan.is_new else order.id,
            "quantity": order.quantity,
            "recorded": done,
            "candidates": [number.e164 for number in offered],
            "names": list(plan.names),
            "campaign_id": order.campaign_id,
            "group_id": order.group_id,
            "destination": None if plan.destination is None else plan.destination.e164,
            "voice_url": opened.addresses.voice,
            "price": None if price is None else str(price.amount),
            "currency": None if price is None else price.currency,
            "applied": False,
        }
        click.echo(json.dumps(shown))
        return
    home = f"campaign {order.campaign_id}" if order.campaign_id else f"group {order.group_id}"
    cost = "price not known" if price is None else f"{order.quantity * price.amount} {price.currency} a month"
    click.echo(f"would buy {order.quantity} for {home}: {cost}")
    for place, number in enumerate(offered[:_SHOWN], start=1):
        click.echo(printable(f"  {number.e164:<17}{number_orders.name_of(order, place, number)}").rstrip())
    if len(offered) > _SHOWN:
        click.echo(f"  … and {len(offered) - _SHOWN} more")
    if len(offered) < order.quantity:
        click.echo(f"the carrier offers {len(offered)} such numbers now")
    click.echo(f"calls connect to {plan.destination.e164 if plan.destination else 'nobody yet'}")
    click.echo(f"the carrier will ask {opened.addresses.voice.partition('#')[0]}")
    if not plan.is_new:
        click.echo(f"this is order {order.id}, {order.status.value}: it has {done} of {order.quantity}")
    click.echo("nothing was bought; run it again with --apply")


if __name__ == "__main__":
    sys.exit(run(command))

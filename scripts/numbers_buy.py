"""`hookswitch numbers buy`: get numbers from the carrier and put them on a campaign."""

import json
import sys
import time
from typing import Any

import click

from admin import number_orders
from admin.access.actor import Actor
from admin.lists import number_orders as order_list
from admin.number_orders import Plan
from admin.order_plans import lay_out
from admin.order_progress import OrderDetail
from models.number_order import OrderState, PurchaseStep
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
            if before.state is not OrderState.COMPLETE:
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
    return 0 if after.state is OrderState.COMPLETE else FAILED


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
        if _order(opened, actor, order_id).state is OrderState.COMPLETE:
            return None


def _order(opened: NumberDesk, actor: Actor, order_id: int) -> OrderDetail:
    with opened.desk.reading() as session:
        return order_list.one(session, actor, order_id, opened.desk.clock())


def _report(before: OrderDetail, order: OrderDetail, *, as_json: bool) -> None:
    if as_json:
        click.echo(order.model_dump_json())
        return
    for purchase in order.purchases:
        if purchase.step is not PurchaseStep.FAILED:
            note = f"  ({printable(purchase.problem)})" if purchase.problem else ""
            click.echo(f"{purchase.number.e164:<17}{purchase.step.value}{note}")
    if order.state is OrderState.COMPLETE and before.state is OrderState.COMPLETE:
        click.echo(
            f"order {order.id} was complete already: nothing was bought."
            " For as many again, add --key with a word of your own"
        )
    elif order.state is OrderState.CANCELLED:
        click.echo(f"order {order.id} was cancelled; it has {order.recorded} of {order.quantity} numbers")
    elif order.state is OrderState.COMPLETE:
        lost = sum(purchase.step is PurchaseStep.FAILED for purchase in order.purchases)
        others = f"; {lost} others were not to be had" if lost else ""
        click.echo(f"order {order.id} is complete: {order.recorded} numbers bought, set up and held{others}")


def _show_plan(opened: NumberDesk, actor: Actor, plan: Plan, market: TwilioMarket, *, as_json: bool) -> None:
    laid_out = lay_out(plan, market)
    if as_json:
        shown = laid_out.model_dump(mode="json") | {"voice_url": opened.addresses.voice, "applied": False}
        click.echo(json.dumps(shown))
        return
    order, offered = plan.order, laid_out.candidates
    home = f"campaign {order.campaign_id}" if order.campaign_id else f"group {order.group_id}"
    known = laid_out.monthly is not None
    cost = f"{laid_out.monthly} {laid_out.currency} a month" if known else "price not known"
    click.echo(f"would buy {order.quantity} for {home}: {cost}")
    for candidate in offered[:_SHOWN]:
        click.echo(printable(f"  {candidate.number.e164:<17}{candidate.name}").rstrip())
    if len(offered) > _SHOWN:
        click.echo(f"  … and {len(offered) - _SHOWN} more")
    if laid_out.falls_short:
        click.echo(f"the carrier offers {len(offered)} such numbers now")
    click.echo(f"calls connect to {plan.destination.e164 if plan.destination else 'nobody yet'}")
    click.echo(f"the carrier will ask {opened.addresses.voice.partition('#')[0]}")
    if not plan.is_new:
        there = _order(opened, actor, order.id)
        click.echo(
            f"this is order {order.id}, {there.state.value}: it has {there.recorded} of {there.quantity}"
        )
    click.echo("nothing was bought; run it again with --apply")


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch numbers search`: what the carrier has for sale."""

import sys
from collections.abc import Callable
from typing import Any

import click

from admin.number_search import MOST_OFFERS, OfferView, search
from scripts.arguments import PHONE_NUMBER
from scripts.cli import run
from scripts.number_desk import number_desk, printable
from scripts.number_market import TwilioMarket

Command = Callable[..., Any]


def search_options(command: Command) -> Command:
    """What a number must be like, as options."""
    for option in (
        click.option("--near", type=PHONE_NUMBER, help="In the neighbourhood of this number (US, Canada)."),
        click.option("--region", help="State or province, such as CA (US, Canada)."),
        click.option("--contains", help="Digits that are in it; * stands for any digit."),
        click.option("--area-code", help="Such as 415 (US, Canada)."),
        click.option(
            "--type", "kind", type=click.Choice(["local", "toll-free", "mobile"]), help="Default: local."
        ),
        click.option("--country", help="Two letters; default: that of the group's phone, or US."),
    ):
        command = option(command)
    return command


@click.command(name="search")
@search_options
@click.option(
    "--limit", type=click.IntRange(1, MOST_OFFERS), default=20, show_default=True, help="So many at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one number each.")
def command(limit: int, as_json: bool, **wanted: Any) -> None:  # noqa: FBT001, ANN401 - click's way
    """Show numbers that can be bought now, with their price a month where the carrier tells it.

    Example: hookswitch numbers search --country US --area-code 415 --contains 555
    """
    with number_desk() as opened:
        carrier = opened.carrier()
        raw = {"country": "US", "limit": limit} | given(wanted)
        offers = search(TwilioMarket(carrier), opened.actor(), raw)
    if not offers and not as_json:
        raise click.ClickException("the carrier has no such number now; ask for less")
    for offer in offers:
        click.echo(offer.model_dump_json() if as_json else _line(offer))


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were said."""
    return {name: value for name, value in options.items() if value is not None and value != ()}


def _line(offer: OfferView) -> str:
    place = ", ".join(filter(None, (offer.locality, offer.region, offer.country)))
    price = "" if offer.price is None else f"{offer.price} {offer.currency} a month"
    wants = "" if offer.address_required == "none" else f"needs an address ({offer.address_required})"
    return printable(f"{offer.number.e164:<17}{place:<32}{price:<20}{wants}").rstrip()


if __name__ == "__main__":
    sys.exit(run(command))

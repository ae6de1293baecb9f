"""`hookswitch numbers assign`: put numbers that we hold on a campaign, or take them off theirs."""

import json
import sys
from typing import Any

import click

from admin import numbers as use_cases
from admin.errors import NotThere
from models.tracking_number import held_number
from routing.numbers import PhoneNumber
from scripts.arguments import PHONE_NUMBER
from scripts.cli import run
from scripts.number_desk import number_desk
from scripts.numbers_search import given


@click.command(name="assign")
@click.argument("numbers", type=PHONE_NUMBER, nargs=-1, required=True)
@click.option("--campaign", "campaign_id", type=int, help="Id of the campaign that they go to.")
@click.option("--off", is_flag=True, help="Take them off their campaigns instead; callers are then rejected.")
@click.option("--name", help="What each is called; {n} counts them, {number} is the number.")
@click.option("--destination", type=PHONE_NUMBER, help="Where their calls connect.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0917 - click's way
    numbers: tuple[PhoneNumber, ...],
    campaign_id: int | None,
    off: bool,  # noqa: FBT001
    name: str | None,
    destination: PhoneNumber | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Put numbers on a campaign: all of them or, if one cannot be, none.

    Example: hookswitch numbers assign --campaign 12 +15005550113
    """
    if off == (campaign_id is not None):
        raise click.UsageError("say either --campaign or --off")
    moved: dict[PhoneNumber, int | None] = {}
    with number_desk() as opened:
        actor = opened.actor(campaign_id=campaign_id, number=numbers[0])
        with opened.desk.writing(actor) as session:
            for place, number in enumerate(numbers, start=1):
                holding = held_number(session, number)
                if holding is None:
                    raise NotThere(f"{number.e164} is not held here")
                moved[number] = holding.campaign_id
                changes: dict[str, Any] = given({"destination": destination})
                if name is not None:
                    changes["name"] = name.replace("{n}", str(place)).replace("{number}", number.e164)
                use_cases.revise(
                    session, actor, holding.id, changes | {"campaign_id": campaign_id}, opened.desk.clock()
                )
    if as_json:
        shown = [
            {"number": n.e164, "campaign_id": campaign_id, "was_on": before} for n, before in moved.items()
        ]
        click.echo(json.dumps(shown))
        return
    for number, before in moved.items():
        click.echo(f"{number.e164:<17}{_home(before)} → {_home(campaign_id)}")


def _home(campaign_id: int | None) -> str:
    return "no campaign" if campaign_id is None else f"campaign {campaign_id}"


if __name__ == "__main__":
    sys.exit(run(command))

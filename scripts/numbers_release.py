"""`hookswitch numbers release`: give numbers back, after asking and after a quarantine; or undo that."""

import json
import sys
from dataclasses import dataclass

import click

from admin import number_orders, number_releases
from admin.access.actor import Actor
from admin.drafts import spelled
from admin.number_releases import LONGEST_QUARANTINE, QUARANTINE_DAYS, NumberReturned, Outlook
from routing.numbers import PhoneNumber
from scripts.arguments import PHONE_NUMBER
from scripts.cli import run
from scripts.number_desk import NumberDesk, number_desk
from scripts.numbers_buy import carry_out
from scripts.returning import return_one


@dataclass(frozen=True, slots=True)
class _Asked:
    days: int
    even_in_use: bool
    as_json: bool


@click.command(name="release")
@click.argument("numbers", type=PHONE_NUMBER, nargs=-1, required=True)
@click.option(
    "--days",
    type=click.IntRange(0, LONGEST_QUARANTINE),
    default=QUARANTINE_DAYS,
    show_default=True,
    help="Callers are rejected for so long before the carrier gets the number; 0: it gets it now.",
)
@click.option("--even-in-use", is_flag=True, help="Although it is still called, or its campaign is live.")
@click.option("--undo", is_flag=True, help="Have the numbers back.")
@click.option("--apply", is_flag=True, help="Do it. Without it is only shown what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one number each.")
def command(  # noqa: PLR0917 - click's way
    numbers: tuple[PhoneNumber, ...],
    days: int,
    even_in_use: bool,  # noqa: FBT001
    undo: bool,  # noqa: FBT001
    apply: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> int:
    """Give numbers back to the carrier: at once callers are rejected, after --days the number is gone.

    Until then --undo takes it back; after that it buys it again, if the carrier still has it (Twilio
    keeps it for ten days). Example: hookswitch numbers release +15005550113 --apply
    """
    with number_desk() as opened:
        actor = opened.actor(number=numbers[0])
        if undo:
            return max(_undo(opened, actor, number, apply=apply, as_json=as_json) for number in numbers)
        asked = _Asked(days, even_in_use, as_json)
        with opened.desk.reading() as session:
            now = opened.desk.clock()
            seen = [number_releases.outlook(session, actor, number, now) for number in numbers]
        kept = [outlook for outlook in seen if outlook.reasons_to_keep and not even_in_use]
        if not as_json or not apply:
            for outlook in seen:
                click.echo(json.dumps(_shown(outlook)) if as_json else _line(outlook))
        if kept:
            raise click.ClickException(
                f"{len(kept)} of {len(seen)} numbers are still in use, so nothing was released;"
                " add --even-in-use if they shall go all the same"
            )
        if not apply:
            click.echo(f"{len(seen)} numbers would be released; run it again with --apply", err=as_json)
            return 0
        if not yes:
            click.confirm(f"Give back {len(seen)} numbers?", abort=True, err=True)
        for number in numbers:
            _release(opened, actor, number, asked)
    return 0


def _release(opened: NumberDesk, actor: Actor, number: PhoneNumber, asked: _Asked) -> None:
    now = opened.desk.clock()
    raw = {"number": number, "days": asked.days, "even_in_use": asked.even_in_use}
    if not asked.days:
        carrier = opened.carrier()  # says what is wrong with it before callers are rejected
    with opened.desk.writing(actor) as session:
        given_back = number_releases.release(session, actor, raw, now)
        release_id, due = given_back.id, given_back.due_at
    if asked.days:
        told = f"callers are rejected from now on; goes back to the carrier on {spelled(due)[:10]}"
    else:
        return_one(opened.parts.database, carrier, release_id, now)
        told = "is the carrier's again"
    row = {
        "number": number.e164,
        "release_id": release_id,
        "due_at": spelled(due),
        "returned": not asked.days,
    }
    click.echo(json.dumps(row) if asked.as_json else f"{number.e164:<17}{told}")


def _undo(opened: NumberDesk, actor: Actor, number: PhoneNumber, *, apply: bool, as_json: bool) -> int:
    if not apply:
        click.echo(f"would have {number.e164} back; run it again with --apply")
        return 0
    try:
        with opened.desk.writing(actor) as session:
            holding = number_releases.undo(session, actor, number)
            row = {"number": number.e164, "id": holding.id, "campaign_id": holding.campaign_id}
    except NumberReturned as returned:
        return _buy_back(opened, actor, returned, as_json=as_json)
    home = "no campaign" if row["campaign_id"] is None else f"campaign {row['campaign_id']}"
    click.echo(json.dumps(row) if as_json else f"{number.e164:<17}is held again, on {home}")
    return 0


def _buy_back(opened: NumberDesk, actor: Actor, returned: NumberReturned, *, as_json: bool) -> int:
    carrier = opened.carrier()
    with opened.desk.noting(actor.author) as session:
        now = opened.desk.clock()
        order_id = number_orders.open_one(session, actor, returned.order, carrier.name, now).id
    status = carry_out(opened, actor, order_id, as_json=as_json)
    if status == 0:
        with opened.desk.noting(actor.author) as session:
            number_releases.bought_back(session, returned.release_id)
    return status


def _shown(outlook: Outlook) -> dict[str, object]:
    used = outlook.usage
    return {
        "number": outlook.holding.number.e164,
        "campaign_id": outlook.holding.campaign_id,
        "last_call_at": None if used.last_call_at is None else spelled(used.last_call_at),
        "calls_90_days": used.calls_90_days,
        "callers_90_days": used.callers_90_days,
        "reasons_to_keep": list(outlook.reasons_to_keep),
    }


def _line(outlook: Outlook) -> str:
    used = outlook.usage
    last = (
        "never dialled" if used.last_call_at is None else f"last dialled {spelled(used.last_call_at)[:16]}Z"
    )
    counts = f"{used.calls_90_days} calls by {used.callers_90_days} callers in 90 days"
    return "; ".join([f"{outlook.holding.number.e164:<17}{last}", counts, *outlook.reasons_to_keep])


if __name__ == "__main__":
    sys.exit(run(command))

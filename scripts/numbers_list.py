"""`hookswitch numbers list`: the tracking numbers, and how much they are called."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime

import click
from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from admin.drafts import spelled
from models.base import Row
from models.call_usage import NEVER, Usage, usage
from models.campaign import Campaign
from models.group import subtree
from models.tracking_number import NumberStatus, TrackingNumber
from scripts.cli import run
from scripts.number_desk import number_desk, printable

_BATCH = 500
_HEADINGS = ("number", "campaign", "name", "last call", "45 days", "90 days")
_WIDTHS = (17, 28, 28, 17, 8, 8)


@click.command(name="list")
@click.option("--campaign", "campaign_id", type=int, help="On this campaign.")
@click.option("--group", "group_id", type=int, help="In this group, and in those below it.")
@click.option("--unused", is_flag=True, help="Without a call in 45 days.")
@click.option("--released", is_flag=True, help="Those that were given back, instead of those that we hold.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one number each.")
def command(
    campaign_id: int | None,
    group_id: int | None,
    unused: bool,  # noqa: FBT001 - click's way
    released: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """List tracking numbers with their last call and their calls in 45 and 90 days.

    Example: hookswitch numbers list --campaign 12
    """
    wanted = [TrackingNumber.status == (NumberStatus.RELEASED if released else NumberStatus.ACTIVE)]
    if campaign_id is not None:
        wanted.append(TrackingNumber.campaign_id == campaign_id)
    if group_id is not None:
        wanted.append(TrackingNumber.group_id.in_(subtree(group_id)))
    shown = 0
    with number_desk() as opened, opened.desk.reading() as session:
        for row in _rows(session, wanted, opened.desk.clock()):
            if unused and row["calls_45_days"]:
                continue
            if not shown and not as_json:
                click.echo(_line(_HEADINGS))
            click.echo(json.dumps(row) if as_json else _line(_cells(row)))
            shown += 1
    if not shown and not as_json:
        click.echo("no such numbers")


def _rows(session: Session, wanted: list[ColumnElement[bool]], now: datetime) -> Iterator[Row]:
    """Some hundred at a time, so that any number of them takes the same memory."""
    place = tuple_(TrackingNumber.number, TrackingNumber.id)
    statement = (
        select(TrackingNumber, Campaign.name)
        .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
        .where(*wanted)
        .order_by(TrackingNumber.number, TrackingNumber.id)
        .limit(_BATCH)
    )
    following = statement
    while found := session.execute(following).all():
        used = usage(session, [number.number for number, _ in found], now)
        for number, campaign in found:
            yield _row(number, campaign, used.get(number.number, NEVER))
        last = found[-1][0]
        following = statement.where(place > (last.number, last.id))
        session.expunge_all()


def _row(number: TrackingNumber, campaign: str | None, used: Usage) -> Row:
    return {
        "id": number.id,
        "number": number.number.e164,
        "campaign_id": number.campaign_id,
        "campaign_name": campaign,
        "group_id": number.group_id,
        "name": number.name,
        "status": number.status.value,
        "carrier_sid": number.carrier_sid,
        "last_call_at": None if used.last_call_at is None else spelled(used.last_call_at),
        "calls_45_days": used.calls_45_days,
        "calls_90_days": used.calls_90_days,
        "callers_90_days": used.callers_90_days,
        "may_be_taken_back": used.may_be_taken_back,
    }


def _cells(row: Row) -> tuple[str, ...]:
    campaign = "" if row["campaign_id"] is None else f"{row['campaign_id']} {row['campaign_name']}"
    last = (row["last_call_at"] or "never")[:16].replace("T", " ")
    return row["number"], campaign, row["name"], last, str(row["calls_45_days"]), str(row["calls_90_days"])


def _line(cells: tuple[str, ...]) -> str:
    cut = (f"{printable(cell)[: width - 1]:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return "".join(cut).rstrip()


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch explain`: what a caller of a number would get, and why, without a call."""

import json
import sys
from datetime import UTC, datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from admin.explaining import Explainer
from models.routes import route_of
from routing.arrival import FactsUnavailable
from routing.explanation import Explanation
from routing.index.lookup import CampaignIndex
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.arguments import INSTANT, PHONE_NUMBER
from scripts.assembly import Parts, parts
from scripts.cli import run


def explain_number(parts: Parts, number: PhoneNumber, at: datetime) -> Explanation:
    """Explain what `number` gets at `at`, from the stores that the environment names."""

    def load(asked: PhoneNumber) -> Route | None:
        try:
            with parts.database.reading() as session:
                return route_of(session, asked)
        except SQLAlchemyError as error:
            raise FactsUnavailable(type(error).__name__) from error

    return Explainer(CampaignIndex(parts.redis, parts.layout), load).explain(number, at)


def show(explanation: Explanation) -> None:
    """Print an explanation for a person."""
    click.echo(f"{click.style(explanation.decision, bold=True)} ({explanation.reason}): {explanation.rule}")
    at = explanation.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    rows = (("at", at), *explanation.facts, ("facts read from", explanation.source))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"  {name:{width}}  {_printable(value)}")


def _printable(value: str) -> str:
    """Operators type external IDs; a terminal must not obey what is in them."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value
    )


@click.command(name="explain")
@click.argument("to", type=PHONE_NUMBER)
@click.option(
    "--at", type=INSTANT, help="The instant of the call, such as 2026-07-01T09:00:00Z; default: now."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(to: PhoneNumber, at: datetime | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Tell what a caller of the number TO gets, by which rule and on which facts; no call is made.

    Example: hookswitch explain +15005550100 --at 2026-12-24T18:00:00+01:00
    """
    with parts() as opened:
        explanation = explain_number(opened, to, at or datetime.now(UTC))
    if as_json:
        click.echo(
            json.dumps(
                {
                    "decision": explanation.decision,
                    "reason": explanation.reason,
                    "rule": explanation.rule,
                    "source": explanation.source,
                    "at": explanation.at.isoformat().replace("+00:00", "Z"),
                    "facts": dict(explanation.facts),
                }
            )
        )
    else:
        show(explanation)


if __name__ == "__main__":
    sys.exit(run(command))

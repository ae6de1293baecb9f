"""`hookswitch numbers`: get numbers from the carrier, put them on campaigns, give them back."""

import sys

import click

from scripts import (
    numbers_assign,
    numbers_buy,
    numbers_import,
    numbers_list,
    numbers_reconcile,
    numbers_release,
    numbers_search,
)
from scripts.cli import run


@click.group(name="numbers")
def command() -> None:
    """Get numbers from the carrier, put them on campaigns, give them back.

    Nothing is bought, and nothing changed at the carrier, without --apply. Example: hookswitch
    numbers search --country US --area-code 415
    """


for _subcommand in (
    numbers_search.command,
    numbers_buy.command,
    numbers_import.command,
    numbers_assign.command,
    numbers_release.command,
    numbers_reconcile.command,
    numbers_list.command,
):
    command.add_command(_subcommand)


if __name__ == "__main__":
    sys.exit(run(command))

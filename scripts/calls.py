"""`hookswitch calls`: read the call log, complete it, fetch recordings."""

import sys

import click

from scripts import calls_export, calls_reconcile, calls_recording
from scripts.cli import run


@click.group(name="calls")
def command() -> None:
    """Read the call log, and complete it from the carrier's records.

    Example: hookswitch calls export --since 2026-11-01T00:00:00Z
    """


for _subcommand in (calls_export.command, calls_reconcile.command, calls_recording.command):
    command.add_command(_subcommand)


if __name__ == "__main__":
    sys.exit(run(command))

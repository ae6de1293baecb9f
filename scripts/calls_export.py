"""`hookswitch calls export`: the call log as a file."""

import sys
from datetime import datetime

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from admin.files import Form, Pieces, written
from models.call_rows import EXPORTED, exported
from scripts.arguments import INSTANT
from scripts.assembly import parts
from scripts.cli import run


@click.command(name="export")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--since", type=INSTANT, help="Only calls that began at this instant or later.")
@click.option("--until", type=INSTANT, help="Only calls that began before this instant.")
def command(form: Form, since: datetime | None, until: datetime | None) -> None:
    """Write the call log to standard output, in the order of logging, as CSV (RFC 4180) or JSON Lines.

    Cells that a spreadsheet would run as a formula get an apostrophe in front; phone numbers stay
    as they are. Example: hookswitch calls export --format jsonl > calls.jsonl
    """
    out = sys.stdout.buffer
    try:
        with parts() as opened, opened.database.reading() as session:
            out.writelines(written(form, EXPORTED, _counted(exported(session, since=since, until=until))))
            out.flush()
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the call log cannot be read ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


def _counted(pieces: Pieces) -> Pieces:
    """Count rows on stderr while they pass, where that is a terminal that does not show them anyway."""
    console = Console(stderr=True)
    if not console.is_terminal or sys.stdout.isatty():
        yield from pieces
        return
    columns = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} calls"), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("exporting", total=None)
        for rows in pieces:
            yield rows
            progress.advance(task, len(rows))


if __name__ == "__main__":
    sys.exit(run(command))

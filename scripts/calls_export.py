"""`hookswitch calls export`: the call log as a file."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TextIO

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from models.base import Row
from models.call import EXPORTED_COLUMNS, export_rows
from routing.numbers import PhoneNumber
from scripts.arguments import INSTANT
from scripts.assembly import parts
from scripts.cli import run

# OWASP, CSV injection: a spreadsheet runs a cell that begins with one of these.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@click.command(name="export")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--since", type=INSTANT, help="Only calls that began at this instant or later.")
@click.option("--until", type=INSTANT, help="Only calls that began before this instant.")
def command(form: str, since: datetime | None, until: datetime | None) -> None:
    """Write the call log to standard output, in the order of logging, as CSV (RFC 4180) or JSON Lines.

    Cells that a spreadsheet would run as a formula get an apostrophe in front; phone numbers stay
    as they are. Example: hookswitch calls export --format jsonl > calls.jsonl
    """
    write = _write_csv if form == "csv" else _write_json_lines
    if isinstance(sys.stdout, io.TextIOWrapper):
        # UTF-8 and the line ends of each format, whatever this terminal is set to.
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        with parts() as opened, opened.database.reading() as session:
            # Not by click.echo: it flushes each line, and a log has millions.
            write(sys.stdout, _counted(export_rows(session, since=since, until=until)))
            sys.stdout.flush()
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the call log cannot be read ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


def _counted(rows: Iterable[Row]) -> Iterator[Row]:
    """Count rows on stderr while they pass, where that is a terminal that does not show them anyway."""
    console = Console(stderr=True)
    if not console.is_terminal or sys.stdout.isatty():
        yield from rows
        return
    columns = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} calls"), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("exporting", total=None)
        for row in rows:
            yield row
            progress.advance(task)


def _write_csv(out: TextIO, rows: Iterable[Row]) -> None:
    line = csv.writer(out)
    all_rows = iter(rows)
    first = next(all_rows, None)
    if first is None:
        line.writerow(EXPORTED_COLUMNS)
        return
    line.writerow(first)
    line.writerows([_cell(value) for value in row.values()] for row in chain([first], all_rows))


def _write_json_lines(out: TextIO, rows: Iterable[Row]) -> None:
    out.writelines(json.dumps(row, default=_plain, ensure_ascii=False) + "\n" for row in rows)


def _cell(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else str(_plain(value))
    if _FORMULA.match(text) and not _E164.fullmatch(text):
        return "'" + text
    return text


def _plain(value: object) -> object:
    match value:
        case PhoneNumber():
            return value.e164
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch calls`: the call log as a file."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from models.call import export_rows
from routing.numbers import PhoneNumber
from scripts.arguments import INSTANT
from scripts.assembly import parts
from scripts.cli import run

# OWASP, CSV injection: a spreadsheet runs a cell that begins with one of these.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@click.group(name="calls")
def command() -> None:
    """Read the call log.

    Example: hookswitch calls export --since 2026-11-01T00:00:00Z
    """


@command.command()
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--since", type=INSTANT, help="Only calls that began at this instant or later.")
@click.option("--until", type=INSTANT, help="Only calls that began before this instant.")
def export(form: str, since: datetime | None, until: datetime | None) -> None:
    """Write the call log to standard output, in the order of logging, as CSV (RFC 4180) or JSON Lines.

    Cells that a spreadsheet would run as a formula get an apostrophe in front; phone numbers stay
    as they are. Example: hookswitch calls export --format jsonl > calls.jsonl
    """
    write = _write_csv if form == "csv" else _write_json_lines
    try:
        with parts() as opened, opened.database.reading() as session:
            write(export_rows(session, since=since, until=until))
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database does not answer ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


def _write_csv(rows: Iterable[Mapping[str, object]]) -> None:
    header: list[str] | None = None
    for row in rows:
        if header is None:
            header = list(row)
            click.echo(_csv_line(header), nl=False)
        click.echo(_csv_line([_cell(value) for value in row.values()]), nl=False)


def _write_json_lines(rows: Iterable[Mapping[str, object]]) -> None:
    for row in rows:
        click.echo(json.dumps(dict(row), default=_plain, ensure_ascii=False))


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()


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

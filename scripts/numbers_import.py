"""`hookswitch numbers import`: take over numbers that we own already, from CSV or from the carrier's list."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TextIO

import click

from admin.access.actor import Actor
from admin.errors import FieldError
from admin.number_import import COLUMNS, Imported, Rejected, Row, import_numbers
from models.number_release import in_quarantine
from models.tracking_number import held_numbers
from scripts.cli import FAILED, run
from scripts.number_desk import NumberDesk, bar, number_desk, printable

_SHOWN = 100
"""Rows whose errors are printed; a file of rejects has all."""

_OF_REJECTS = ("line", "errors")
"""Columns that a file of rejects has besides; they are not read when it is imported, once it is mended."""


class _ToBeRolledBack(Exception):
    """Nothing is to be written, as some rows were bad or only a check was wanted."""


@click.command(name="import")
@click.argument("file", required=False, type=click.File(encoding="utf-8-sig"))
@click.option("--from-carrier", is_flag=True, help="Instead of a file: what the account has and we do not.")
@click.option("--campaign", "campaign_id", type=int, help="Campaign of rows that name none.")
@click.option("--group", "group_id", type=int, help="Group of rows that name no campaign.")
@click.option("--check", is_flag=True, help="Only say what is wrong and what would be done.")
@click.option("--skip-bad", is_flag=True, help="Take the good rows although others are bad.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --skip-bad: where the bad rows go, with their errors.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0917 - click's way
    file: TextIO | None,
    from_carrier: bool,  # noqa: FBT001
    campaign_id: int | None,
    group_id: int | None,
    check: bool,  # noqa: FBT001
    skip_bad: bool,  # noqa: FBT001
    rejects: Path | None,
    as_json: bool,  # noqa: FBT001
) -> int:
    """Take over numbers: all of them or, if one row is wrong, none. Repeating it changes nothing.

    The first line of the file names the columns: number, and any of campaign_id,
    campaign_external_id, group_id, name, destination, whisper, ring_timeout, record_calls, caller_id,
    carrier, carrier_sid. The carrier is not changed: `hookswitch numbers reconcile` tells which numbers
    do not point here. Example: hookswitch numbers import numbers.csv --campaign 12
    """
    if (file is None) is not from_carrier:
        raise click.UsageError("name a file, or say --from-carrier")
    if skip_bad is (rejects is None):
        raise click.UsageError("--skip-bad and --rejects go together")
    began = monotonic()
    with number_desk() as opened:
        actor = opened.actor(campaign_id=campaign_id, group_id=group_id)
        place = {"campaign_id": campaign_id} if campaign_id is not None else {"group_id": group_id}
        defaults = {name: str(value) for name, value in place.items() if value is not None}
        rows = _from_carrier(opened) if file is None else _from_csv(file)
        placed = (_placed(row, defaults) for row in rows)
        imported = _imported(opened, actor, placed, check=check, skip_bad=skip_bad)
        seconds = monotonic() - began
    if rejects is not None and imported.rejected:
        _write_rejects(rejects, imported.rejected)
    done = not check and (skip_bad or not imported.rejected)
    _report(imported, seconds, done=done, as_json=as_json)
    return FAILED if imported.rejected and not skip_bad else 0


def _imported(
    opened: NumberDesk, actor: Actor, rows: Iterator[Row], *, check: bool, skip_bad: bool
) -> Imported:
    imported = Imported()
    with suppress(_ToBeRolledBack), opened.desk.writing(actor) as session, bar("reading", None) as advance:
        imported = import_numbers(session, actor, rows, skip_bad=skip_bad, progress=advance)
        if check or (imported.rejected and not skip_bad):
            raise _ToBeRolledBack
    return imported


def _from_csv(file: TextIO) -> Iterator[Row]:
    """The rows of a table whose first line names the columns; commas or semicolons part them."""
    with _csv_explained():
        heading = file.readline()
        separator = ";" if heading.count(";") > heading.count(",") else ","
        names = [name.strip() for name in next(csv.reader([heading], delimiter=separator), [])]
        unknown = [name for name in names if name not in COLUMNS and name not in _OF_REJECTS]
        if unknown or "number" not in names or len(set(names)) != len(names):
            told = f"unknown: {', '.join(map(printable, unknown))}; " if unknown else ""
            raise click.ClickException(
                f"the first line has to name the columns, each once ({told}there are {', '.join(COLUMNS)})"
            )
        reader = csv.reader(file, delimiter=separator, strict=True)
        line = 2
        for cells in reader:
            if any(cell.strip() for cell in cells):
                fits = len(cells) == len(names)
                error = "" if fits else f"has {len(cells)} cells, the first line {len(names)}"
                named = dict(zip(names, cells, strict=False))
                yield Row(line, {name: named[name] for name in COLUMNS if name in named}, error)
            line = reader.line_num + 2


@contextmanager
def _csv_explained() -> Iterator[None]:
    try:
        yield
    except (csv.Error, UnicodeDecodeError) as error:
        raise click.ClickException(f"the file is no CSV in UTF-8 ({error})") from error


def _from_carrier(opened: NumberDesk) -> Iterator[Row]:
    line = 0
    for page in opened.carrier().all():
        with opened.desk.reading() as session:
            numbers = [owned.number for owned in page]
            known = {*held_numbers(session, numbers), *in_quarantine(session, numbers)}
        for owned in page:
            line += 1
            if owned.number in known:
                continue
            name = "" if owned.label == owned.number.e164 else owned.label
            yield Row(line, {"number": owned.number.e164, "name": name, "carrier_sid": owned.sid})


def _placed(row: Row, defaults: dict[str, str]) -> Row:
    if any(row.cells.get(name, "").strip() for name in ("campaign_id", "campaign_external_id", "group_id")):
        return row
    return Row(row.line, {**row.cells, **defaults}, row.error)


def _write_rejects(path: Path, rejected: list[Rejected]) -> None:
    """All bad rows as they were, each with its errors: to be mended and imported."""
    names = [name for name in COLUMNS if any(name in one.row.cells for one in rejected)]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*names, *_OF_REJECTS])
            for one in rejected:
                cells = [one.row.cells.get(name, "") for name in names]
                writer.writerow([*cells, one.row.line, "; ".join(map(_told, one.errors))])
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror})") from error


def _told(error: FieldError) -> str:
    return f"{error.field} {error.message}".strip()


def _report(imported: Imported, seconds: float, *, done: bool, as_json: bool) -> None:
    rejected = imported.rejected
    if as_json:
        shown = {
            "created": imported.created if done else 0,
            "unchanged": imported.unchanged,
            "rejected": [
                {
                    "line": one.row.line,
                    "errors": [{"field": e.field, "message": e.message} for e in one.errors],
                }
                for one in rejected
            ],
            "applied": done,
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(shown))
        return
    for one in rejected[:_SHOWN]:
        click.echo(printable(f"line {one.row.line}: {'; '.join(map(_told, one.errors))}"), err=True)
    if len(rejected) > _SHOWN:
        click.echo(f"… and {len(rejected) - _SHOWN} more lines", err=True)
    told = f"{imported.created:,} numbers imported, {imported.unchanged:,} were held already"
    if done:
        click.echo(f"{told}, {len(rejected):,} rejected; {seconds:.1f} s, routable now")
    elif rejected:
        click.echo(f"{len(rejected):,} lines are wrong, so nothing was imported")
    else:
        click.echo(
            f"all lines are right: {imported.created:,} to import, {imported.unchanged:,} held already"
        )


if __name__ == "__main__":
    sys.exit(run(command))

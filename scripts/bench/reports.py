"""`hookswitch bench reports`: every report, the call log's page and its export over a log of two years."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import spelled
from admin.files import written
from admin.lists import calls as call_list
from admin.lists.visible import visible
from models import migrate
from models.call import Call
from models.call_rows import EXPORTED, exported
from models.database import Database
from models.reporting import reports
from models.reporting.coverage import READ_THE_LOG
from models.reporting.period import Period, last_days
from models.reporting.roller import begin_anew, bring_up_to_date
from models.reporting.scope import Scope
from models.reporting.vain import numbers_in_vain
from models.tracking_number import TrackingNumber
from models.user import Role
from scripts.bench.figures import Figure, at_least, below, percentile, print_figures
from scripts.bench.history import seed_history
from scripts.bench.postgres import fresh_database
from scripts.bench.processes import resident_bytes
from scripts.cli import run

_GOAL_MS, _PAGE_GOAL_MS, _ROWS_GOAL = 300.0, 100.0, 20_000
_SHOWN = 50
_MEGA = 1_000_000
_ZONES = ("America/New_York", "Asia/Kolkata")
_DAYS = (1, 30, 92, 730)
Report = Callable[[Session, Scope, Period], object]


def _in_vain(session: Session, scope: Scope, period: Period) -> object:
    return numbers_in_vain(session, scope, period, _SHOWN)


def _first(ranking: Callable[[Session, Scope, Period, int | None], object]) -> Report:
    return lambda session, scope, period: ranking(session, scope, period, _SHOWN)


_REPORTS: Mapping[str, Report] = {
    "totals, callers": reports.totals,
    "by day": reports.by_day,
    "by hour": reports.by_hour,
    "by campaign": _first(reports.by_campaign),
    "by number": _first(reports.by_number),
    "by group": _first(reports.by_group),
    "by region": _first(reports.by_region),
    "dialled in vain": _in_vain,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one report took in the server, in milliseconds."""

    report: str
    scope: str
    days: int
    milliseconds: float


@click.command(name="reports")
@click.option("--calls", type=click.IntRange(10_000, 100_000_000), default=10 * _MEGA, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--filled", metavar="URL", help="Measure a database that --fill has filled.")
@click.option("--fill", metavar="URL", help="Fill an empty database, to be measured later.")
@click.option("--plain/--no-plain", default=True, help="Ask the log itself too, which takes minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every report, scope and period by itself.")
def command(
    *,
    calls: int,
    rounds: int,
    postgres: str | None,
    filled: str | None,
    fill: str | None,
    plain: bool,
    as_json: bool,
) -> None:
    """Measure all reports over two years of calls, beside the plain query over the log.

    For admins of all, some and one of the groups, one campaign and one number, from a day to two years.
    10,000,000 calls take half an hour to fill in and 12 GB of disk.

    Example: hookswitch bench reports --calls 300000
    """
    now = datetime.now(UTC)
    with ExitStack() as stack:
        url = filled or fill
        if url is None:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="hookswitch-bench-")))
            url = stack.enter_context(fresh_database(postgres, directory))
        patient = Database(url, patient=True)
        stack.callback(patient.dispose)
        if filled is None:
            _fill(patient, url, calls, now)
        if fill is not None:
            return
        database = Database(url, unhurried=True)
        stack.callback(database.dispose)
        samples = list(_measure(database, rounds, now))
        beside = list(_plainly(patient, now)) if plain else []
        pages = list(_log_pages(database, rounds, now))
        export = list(_export(patient))
    if as_json:
        click.echo(json.dumps([figure.as_json() for figure in _each(samples)], indent=2))
        return
    console = Console()
    print_figures(console, [*_figures(samples), *_page_figures(pages), *export])
    if beside:
        console.print("The same of the log alone, all calls of two years, milliseconds:")
        print_figures(console, [Figure(each.report, each.milliseconds, "ms") for each in beside])


def _fill(database: Database, url: str, calls: int, now: datetime) -> None:
    migrate.upgrade(url)
    _say(f"filling in {calls:,} calls")
    seed_history(database, calls, now)
    days = begin_anew(database)
    with click.progressbar(length=days, label="rolling up", file=sys.stderr) as bar:
        bring_up_to_date(database, now, bar.update)


def _say(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _actors(session: Session) -> dict[str, Actor]:
    last = session.scalar(select(func.max(Call.group_id))) or 1
    return {
        name: Actor(group_id, group_id, Role.ADMIN, "UTC")
        for name, group_id in (("all groups", 1), ("a ninth of them", 2), ("one group", last))
    }


def _scopes(session: Session) -> dict[str, Scope]:
    found = {name: Scope(visible(session, actor).scope) for name, actor in _actors(session).items()}
    # Of the account the first campaign and the first number are called most.
    number = session.scalar(select(TrackingNumber.number).order_by(TrackingNumber.id).limit(1))
    return found | {"the busiest campaign": Scope(None, 1), "the busiest number": Scope(None, None, number)}


def _measure(database: Database, rounds: int, now: datetime) -> Iterator[Sample]:
    with database.reading() as session:
        scopes = _scopes(session)
    for _round in range(rounds):
        for zone in _ZONES:
            for days in _DAYS:
                period = last_days(days, now, ZoneInfo(zone))
                for name, scope in scopes.items():
                    for report, ask in _REPORTS.items():
                        yield Sample(report, name, days, _spent(database, ask, scope, period))


def _spent(database: Database, ask: Report, scope: Scope, period: Period, *, plain: bool = False) -> float:
    began = perf_counter()
    # What takes five seconds is broken off, and counts as five.
    with suppress(OperationalError), database.reading() as session:
        session.info[READ_THE_LOG] = plain
        ask(session, scope, period)
    return (perf_counter() - began) * 1000


def _plainly(database: Database, now: datetime) -> Iterator[Sample]:
    period = last_days(_DAYS[-1], now, ZoneInfo(_ZONES[0]))
    for report, ask in _REPORTS.items():
        yield Sample(report, "all groups", _DAYS[-1], _spent(database, ask, Scope(None), period, plain=True))


def _log_pages(database: Database, rounds: int, now: datetime) -> Iterator[float]:
    with database.reading() as session:
        actors = _actors(session)
    month = {"started_from": spelled(now - timedelta(days=30)), "limit": "50"}
    for _round in range(rounds * len(_DAYS)):
        for actor in actors.values():
            for asked in (month, month | {"decision": ["referral"]}, month | {"disposition": ["no-answer"]}):
                began = perf_counter()
                with database.reading() as session:
                    call_list.page(session, actor, asked, now).model_dump_json()
                yield (perf_counter() - began) * 1000


def _export(database: Database) -> Iterator[Figure]:
    for form in ("csv", "jsonl"):
        before, rows, most = resident_bytes(os.getpid()), 0, 0
        began = perf_counter()
        with database.reading() as session, Path(os.devnull).open("wb") as out:
            for piece in exported(session):
                out.writelines(written(form, EXPORTED, [piece]))
                rows += len(piece)
                most = max(most, resident_bytes(os.getpid()))
                if rows >= _MEGA:
                    break
        rate = rows / (perf_counter() - began)
        yield Figure(f"export as {form}, rows a second", rate, "", at_least(_ROWS_GOAL))
        yield Figure(f"export as {form}, memory", (most - before) / _MEGA, "MB")


def _figures(samples: list[Sample]) -> Iterator[Figure]:
    for report in _REPORTS:
        spent = [each.milliseconds for each in samples if each.report == report]
        yield Figure(f"{report}, p50", median(spent), "ms")
        yield Figure(f"{report}, p95", percentile(spent, 0.95), "ms", below(_GOAL_MS))


def _page_figures(spent: list[float]) -> Iterator[Figure]:
    yield Figure("call log, last 30 days, p50", median(spent), "ms")
    yield Figure("call log, last 30 days, p95", percentile(spent, 0.95), "ms", below(_PAGE_GOAL_MS))


def _each(samples: list[Sample]) -> Iterator[Figure]:
    for report, scope, days in sorted({(each.report, each.scope, each.days) for each in samples}):
        spent = [
            each.milliseconds
            for each in samples
            if (each.report, each.scope, each.days) == (report, scope, days)
        ]
        yield Figure(f"{report}, {scope}, {days} days", median(spent), "ms", below(_GOAL_MS))


if __name__ == "__main__":
    sys.exit(run(command))

"""`hookswitch bench api`: how long the lists of a large account take, with every filter in every order."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, get_args

import click
from rich.console import Console
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import spelled
from admin.lists import audit, calls, campaigns, groups, numbers, prompts, users
from admin.lists.listing import Filters
from models import migrate
from models.database import Database
from models.user import Role
from routing.policy import State
from scripts.bench.account import seed
from scripts.bench.figures import Figure, below, percentile, print_figures
from scripts.bench.postgres import fresh_database

_GOAL_MS = 100.0
_PAGES = 5
"""Followed by cursor with every filter and order."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one request for a page took in the server, in milliseconds."""

    resource: str
    actor: str
    filtered: str
    sort: str
    milliseconds: float


@click.command(name="api")
@click.option(
    "--campaigns", "size", type=click.IntRange(1_000, 1_000_000), default=100_000, show_default=True
)
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, every filter in every order by itself.")
def command(*, size: int, rounds: int, postgres: str | None, as_json: bool) -> None:
    """Measure every list with each filter in each order, for an admin of all, some and few groups.

    Ten numbers and ten calls to a campaign, a hundred campaigns to a group. What is measured is the
    page as the server makes it, from the transaction's beginning to its JSON; no network. Takes about
    ten minutes and 3 GB of disk for 100,000 campaigns.

    Example: hookswitch bench api --campaigns 10000
    """
    now = datetime.now(UTC)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="hookswitch-bench-")))
        url = stack.enter_context(fresh_database(postgres, directory))
        migrate.upgrade(url)
        patient = Database(url, patient=True)
        stack.callback(patient.dispose)
        _say(f"filling in {size:,} campaigns")
        seed(patient, groups=size // 100, campaigns=size, numbers=size * 10, calls=size * 10, now=now)
        database = Database(url, unhurried=True)
        stack.callback(database.dispose)
        samples = list(_measure(database, _actors(size // 100), rounds, now))
    if as_json:
        click.echo(json.dumps([figure.as_json() for figure in _figures(samples, by_order=True)], indent=2))
    else:
        print_figures(Console(), _figures(samples, by_order=False))


def _say(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _actors(group_count: int) -> dict[str, Actor]:
    return {
        name: Actor(group_id, group_id, Role.ADMIN, "UTC")
        for name, group_id in (("all groups", 1), ("a ninth of them", 2), ("one group", group_count))
    }


def _measure(database: Database, actors: Mapping[str, Actor], rounds: int, now: datetime) -> Iterator[Sample]:
    for _round in range(rounds):
        for resource, (page, model, filters) in lists(now).items():
            for sort in get_args(model.model_fields["sort"].annotation):
                for filtered, values in filters.items():
                    for name, actor in actors.items():
                        for spent in _pages(database, page, actor, values | {"sort": sort}, now):
                            yield Sample(resource, name, filtered, sort, spent)


_PageOf = Callable[[Session, Actor, object, datetime], Any]


def _pages(
    database: Database, page: _PageOf, actor: Actor, values: dict[str, Any], now: datetime
) -> Iterator[float]:
    cursor: str | None = None
    for _step in range(_PAGES):
        asked = values if cursor is None else values | {"cursor": cursor}
        began = perf_counter()
        with database.reading() as session:
            shown = page(session, actor, asked, now)
            shown.model_dump_json()
        yield (perf_counter() - began) * 1000
        cursor = shown.next_cursor
        if cursor is None:
            return


def lists(now: datetime) -> dict[str, tuple[_PageOf, type[Filters], dict[str, dict[str, Any]]]]:
    month = spelled(now - timedelta(days=30))
    year = spelled(now - timedelta(days=365))
    region = {
        "of a group and those below": {"group_id": "2"},
        "of one group": {"group_id": "12", "subgroups": "false"},
    }
    nothing: dict[str, dict[str, Any]] = {"no filter": {}}
    return {
        "campaigns": (
            campaigns.page,
            campaigns.CampaignFilters,
            nothing
            | region
            | {f"state {state}": {"state": [state]} for state in State}
            | {
                "text, one word": {"q": "spring"},
                "text, rare": {"q": "spri leaf 4711"},
                "text, none": {"q": "zzz"},
                "external ID": {"external_id": "crm-4711"},
                "active": {"active": "true"},
                "not active": {"active": "false"},
                "owner": {"owner_id": ["12"]},
                "two owners": {"owner_id": ["12", "2"]},
                "referral": {"end_of_campaign": "referral"},
                "starts since": {"starts_from": month},
                "starts before": {"starts_before": year},
                "ends between": {"ends_from": month, "ends_before": spelled(now)},
                "text, state and end": {
                    "q": "garden",
                    "state": ["live"],
                    "ends_before": spelled(now + timedelta(days=30)),
                },
            },
        ),
        "tracking numbers": (
            numbers.page,
            numbers.NumberFilters,
            nothing
            | region
            | {
                "text": {"q": "radio"},
                "text, rare": {"q": "radio 471"},
                "text, none": {"q": "zzz"},
                "begins with": {"number": "+1415"},
                "begins with, national": {"number": "(415) 555"},
                "ends with 4": {"number": "0190"},
                "ends with 7": {"number": "5550190"},
                "of a campaign": {"campaign_id": "4711"},
                "on a campaign": {"assigned": "true"},
                "on none": {"assigned": "false"},
                "released": {"status": "released"},
                "recorded": {"record_calls": "true"},
                "shows the tracking number": {"caller_id": "tracking_number"},
                "destination": {"destination": "+14000000010"},
                "no such destination": {"destination": "+14999999999"},
                "created since": {"created_from": month},
                "created before": {"created_before": year},
                "text, recorded, on none": {"q": "van", "record_calls": "true", "assigned": "false"},
            },
        ),
        "calls": (
            calls.page,
            calls.CallFilters,
            nothing
            | region
            | {
                "since": {"started_from": month},
                "of an hour": {
                    "started_from": month,
                    "started_before": spelled(now - timedelta(days=30, hours=-1)),
                },
                "of a campaign": {"campaign_id": "4711"},
                "number": {"number": "+1415"},
                "number, none": {"number": "+49151"},
                "number ends with 4": {"number": "0190"},
                "caller begins": {"caller": "+16505"},
                "caller ends with 4": {"caller": "0190"},
                "caller, none": {"caller": "+49151"},
                "connected": {"decision": ["connect"]},
                "apologies, none": {"decision": ["apology"]},
                "released": {"reason": ["released"]},
                "blocked, none": {"reason": ["blocked_caller"]},
                "failed": {"disposition": ["failed"]},
                "busy, none": {"disposition": ["busy"]},
                "long": {"duration_from": "615"},
                "longer than any": {"duration_from": "9999"},
                "failed and long": {"disposition": ["failed"], "duration_from": "600"},
            },
        ),
        "groups": (
            groups.page,
            groups.GroupFilters,
            nothing
            | {"text": {"q": "branch 7"}, "of a parent": {"parent_id": "2"}, "plan": {"plan_id": "2"}},
        ),
        "users": (
            users.page,
            users.UserFilters,
            nothing
            | region
            | {"text": {"q": "user 7"}, "role": {"role": "admin"}, "status": {"status": "disabled"}},
        ),
        "prompts": (
            prompts.page,
            prompts.PromptFilters,
            nothing | region | {"text": {"q": "goodbye 7"}, "language": {"language": "fr"}},
        ),
        "audit entries": (
            audit.page,
            audit.AuditFilters,
            nothing
            | {
                "of a campaign": {"entity": "campaign", "entity_id": "4711"},
                "by a user": {"user_id": "12"},
                "of the page": {"via": "page"},
                "of commands, none": {"via": "command"},
                "since": {"at_from": month},
                "before": {"at_before": year},
            },
        ),
    }


def _figures(samples: list[Sample], *, by_order: bool) -> Iterator[Figure]:
    spent: dict[tuple[str, ...], list[float]] = {}
    for sample in samples:
        order = sample.sort if by_order else "any order"
        spent.setdefault((sample.resource, sample.filtered, order, sample.actor), []).append(
            sample.milliseconds
        )
    for words, values in spent.items():
        name = ", ".join(words)
        yield Figure(f"{name}: p50", percentile(values, 0.5), "ms")
        yield Figure(f"{name}: p95", percentile(values, 0.95), "ms", below(_GOAL_MS))

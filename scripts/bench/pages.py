"""`hookswitch bench pages`: how long the pages of a large account take, and what a first view sends."""

import gzip
import http.client
import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import click
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.access.sessions import open_session
from models.call import Call
from models.campaign import Campaign
from models.prompt import Prompt
from models.tracking_number import TrackingNumber
from models.user import User
from scripts.bench.account import seed
from scripts.bench.figures import Figure, below, percentile, print_figures
from scripts.bench.installation import Installation, throw_away
from scripts.bench.processes import split_cores
from scripts.bench.web import Server, serving

_GOAL_MS = 150.0
_GOAL_KILOBYTES = 300.0
_COOKIE = "__Host-hookswitch"
_PATIENCE = 60.0
_ASSET = re.compile(r'(?:href|src)="(/assets/[^"#]+)')

PAGES = (
    "/",
    "/home/calls",
    "/campaigns",
    "/campaigns?sort=name",
    "/campaigns?q=spring&state=live&sort=-ends_at",
    "/campaigns?active=false&subgroups=false",
    "/campaigns/new",
    "/campaigns/{campaign}",
    "/campaigns/{campaign}/edit",
    "/tracking-numbers",
    "/tracking-numbers?number=0190",
    "/tracking-numbers?q=radio&sort=name",
    "/tracking-numbers/new",
    "/tracking-numbers/{number}",
    "/tracking-numbers/{number}/move",
    "/calls",
    "/calls?started=30d&decision=reject",
    "/calls?caller=0190",
    "/calls/live?after_id=1",
    "/calls/{call}",
    "/prompts",
    "/prompts/{prompt}",
    "/groups",
    "/groups?q=branch+7",
    "/groups/{group}",
    "/groups/{group}/edit",
    "/users",
    "/users?q=user+7&role=admin",
    "/users/{user}",
    "/choose-group?q=berlin",
    "/options/campaigns?field=campaign_id&words=spring",
    "/settings/tokens",
    "/settings/blocks",
    "/settings/audit",
    "/settings/audit?entity=campaign&at=30d",
    "/account",
)
"""What is asked for; braces stand for something that the asker sees."""


@dataclass(frozen=True, slots=True)
class Asker:
    """An admin with an open session, and what there is of each kind in his own group."""

    name: str
    cookie: str
    things: dict[str, int]


@click.command(name="pages")
@click.option(
    "--campaigns", "size", type=click.IntRange(1_000, 1_000_000), default=100_000, show_default=True
)
@click.option("--rounds", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, size: int, rounds: int, postgres: str | None, as_json: bool) -> None:
    """Measure every page for an admin of all, some and few groups, and what the first view of a grid sends.

    Ten numbers and ten calls to a campaign, a hundred campaigns to a group. What is measured is the time
    from the request to the whole page, over loopback, at one web process that has nothing else to do.
    Takes about five minutes and 3 GB of disk for 100,000 campaigns.

    Example: hookswitch bench pages --campaigns 10000
    """
    now = datetime.now(UTC)
    cores = split_cores()
    with throw_away(postgres) as installation, ExitStack() as stack:
        _say(f"filling in {size:,} campaigns")
        groups = size // 100
        seed(
            installation.database,
            groups=groups,
            campaigns=size,
            numbers=size * 10,
            calls=size * 10,
            now=now,
        )
        askers = list(_askers(installation, groups, now))
        web = stack.enter_context(serving("wsgi:create_app()", installation, cores.measured))
        figures = [*_times(web, askers, rounds), _first_view(web, askers[0])]
    if as_json:
        click.echo(json.dumps([figure.as_json() for figure in figures], indent=2))
    else:
        print_figures(Console(), figures)


def _say(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)


def _askers(installation: Installation, groups: int, now: datetime) -> Iterator[Asker]:
    # Every fiftieth user is disabled.
    named = (("all groups", 1), ("a ninth of them", 2), ("one group", groups - 1))
    for name, group_id in named:
        with installation.database.session() as session:
            user = session.get_one(User, group_id)  # the admin of the group of the same number
            user.password_hash, user.password_changed_at = "chosen long ago", now
            yield Asker(name, open_session(session, user, "bench", now), _things(session, group_id))


def _things(session: Session, group_id: int) -> dict[str, int]:
    """The youngest of each kind in the group."""
    kinds = {"campaign": Campaign, "number": TrackingNumber, "call": Call, "prompt": Prompt}
    found = {"group": group_id, "user": group_id}
    for name, kind in kinds.items():
        table = kind.__table__
        youngest = select(func.max(table.c.id)).where(table.c.group_id == group_id)
        found[name] = session.scalars(youngest).one()
    return found


def _times(web: Server, askers: list[Asker], rounds: int) -> Iterator[Figure]:
    for page in PAGES:
        spent: list[float] = []
        for asker in askers:
            _asked(web, asker, page)  # once uncounted: templates are compiled, caches are filled
            spent += [_asked(web, asker, page)[0] for _round in range(rounds)]
        yield Figure(f"{page}: p50", percentile(spent, 0.5), "ms")
        yield Figure(f"{page}: p95", percentile(spent, 0.95), "ms", below(_GOAL_MS))


def _asked(web: Server, asker: Asker, page: str) -> tuple[float, bytes]:
    """The milliseconds that a page took, and the page."""
    path = page.format(**asker.things)
    headers = {"Cookie": f"{_COOKIE}={asker.cookie}", "Accept-Encoding": "gzip"}
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=_PATIENCE)) as connection:
        began = perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        spent = (perf_counter() - began) * 1000
    if answer.status != http.client.OK:
        raise click.ClickException(f"{path} answers {answer.status} to the admin of {asker.name}")
    return spent, content


def _first_view(web: Server, asker: Asker) -> Figure:
    """What a browser that was never here gets for the grid of campaigns, as a proxy compresses it."""
    _, page = _asked(web, asker, "/campaigns")
    assets = set(_ASSET.findall(page.decode()))
    sent = len(gzip.compress(page)) + sum(len(_asked(web, asker, address)[1]) for address in assets)
    return Figure("first view of /campaigns, compressed", sent / 1000, "kB", below(_GOAL_KILOBYTES))

"""When does an edit reach the next call? One process edits, another looks its number up all along.

`python -m scripts.bench.watching REDIS_URL POSITION REVISION` looks until the campaign of the seeded
number has that revision, then prints when it first saw each. Linux' monotonic clock is the same for
all processes.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, monotonic_ns

import click
import msgspec

from models.campaign import Campaign
from models.database import Database
from routing.index.lookup import CampaignIndex
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.bench.installation import Installation, opened
from scripts.bench.processes import pinned_to
from scripts.bench.seeding import campaign_at, number_at
from scripts.publication import Publication
from scripts.stores import layout_of

_POSITION = 0
_PATIENCE = 120.0
_PAUSE = 0.005
"""Seconds between edits: the next one must not be what makes this one visible."""
_BETWEEN_CALLS = 0.0002
"""Seconds; without a rest the watching alone would keep Redis busy."""
_NANO = 1_000_000


def edits_to_visible(installation: Installation, edits: int, core: set[int]) -> list[float]:
    """Edit a campaign so often; return the milliseconds from each commit to the first call that saw it.

    The watcher runs on `core`, the editor where this process runs.
    """
    database = installation.database
    publish = Publication(database, IndexWriter(installation.redis, installation.layout)).publish
    revision = _edit(database, 0)
    publish()
    committed: dict[int, int] = {}
    with _watcher(installation, revision + edits, core) as watcher:
        for turn in range(1, edits + 1):
            revision = _edit(database, turn)
            committed[revision] = monotonic_ns()
            publish()
            time.sleep(_PAUSE)
        printed, _ = watcher.communicate(timeout=_PATIENCE)
    seen = msgspec.json.decode(printed, type=dict[int, int])
    if not committed.keys() <= seen.keys():
        raise click.ClickException(f"{len(committed.keys() - seen.keys())} edits were never seen by a call")
    # Seen before `commit` returned to us: visible at once.
    return [max(0, seen[revision] - instant) / _NANO for revision, instant in committed.items()]


def _edit(database: Database, turn: int) -> int:
    """Change a campaign's destination and return its new revision, committed."""
    with database.session() as session:
        campaign = session.get_one(Campaign, campaign_at(_POSITION))
        campaign.destination = PhoneNumber(f"+1{4_000_000_000 + turn}")
    return campaign.revision


@contextmanager
def _watcher(installation: Installation, until: int, core: set[int]) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "scripts.bench.watching"]
    words += [installation.settings.redis_url, str(_POSITION), str(until)]
    with pinned_to(core):
        watcher = subprocess.Popen(words, stdout=subprocess.PIPE, env=installation.environ)
    try:
        if watcher.stdout is None or not watcher.stdout.readline():
            raise click.ClickException("the watcher of edits did not start")
        yield watcher
    finally:
        watcher.kill()
        watcher.wait()


def watch(index: CampaignIndex, number: PhoneNumber, until: int) -> dict[int, int]:
    """The instants (monotonic nanoseconds) at which each revision up to `until` was first seen."""
    seen: dict[int, int] = {}
    deadline = monotonic() + _PATIENCE
    while until not in seen and monotonic() < deadline:
        found = index.route_of(number)
        if isinstance(found, Route) and found.campaign is not None:
            seen.setdefault(found.campaign.revision, monotonic_ns())
        time.sleep(_BETWEEN_CALLS)
    return seen


def main() -> None:
    redis_url, position, until = sys.argv[1:]
    with opened(redis_url) as client:
        index = CampaignIndex(client, layout_of(redis_url))
        number = number_at(int(position))
        index.route_of(number)
        print("ready", flush=True)
        seen = watch(index, number, int(until))
    sys.stdout.buffer.write(msgspec.json.encode(seen))


if __name__ == "__main__":
    main()

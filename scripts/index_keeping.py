"""Keep the campaign index there and up to date: publish edits, rebuild what was lost."""

import time
from collections.abc import Callable, Iterator

import structlog

from models.blocked_caller import all_blocked_patterns
from models.database import Database
from models.routes import stream_campaigns, stream_stored_numbers
from routing.blocks import BlockedPattern
from routing.index.condition import IndexCondition
from routing.index.layout import Layout
from routing.index.rebuild import Rebuilder, RebuildInterrupted, RebuildUnderWay, Rebuilt
from routing.index.writer import IndexWriter
from routing.link import RedisClient
from routing.route import CampaignFacts
from scripts.publication import Publication

log = structlog.get_logger()

_LOOK_AT_SERVERS_EVERY = 1.0
"""Seconds; after a rebuild as long as that took, should Redis answer from ever other servers."""


class IndexKeeper:
    """What the worker does for the index. Raises what Redis and the database raise."""

    def __init__(
        self,
        database: Database,
        client: RedisClient,
        layout: Layout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._client = client
        self._layout = layout
        self._clock = clock
        self._condition = IndexCondition(client, layout)
        self._next_look = clock()
        self._publication = Publication(database, IndexWriter(client, layout))

    def keep(self, progress: Callable[[int], None] = lambda _done: None) -> None:
        """One round: rebuild an index that is not there or may be behind, then publish what waits.

        `progress` hears of each batch of a rebuild; what it raises ends the rebuild.
        """
        if not self._condition.is_whole():
            heal(self._database, self._client, self._layout, "lost", progress)
        elif self._clock() >= self._next_look:
            began = self._clock()
            if self._condition.is_on_other_servers():
                heal(self._database, self._client, self._layout, "other server", progress)
            self._next_look = self._clock() + max(_LOOK_AT_SERVERS_EVERY, self._clock() - began)
        self._publication.publish()


def heal(
    database: Database,
    client: RedisClient,
    layout: Layout,
    reason: str,
    progress: Callable[[int], None] = lambda _done: None,
) -> None:
    """Rebuild, unless somebody does so already. Raises what Redis and the database raise."""
    try:
        built = rebuild(database, client, layout, progress)
        log.info("index.rebuilt", reason=reason, numbers=built.numbers, campaigns=built.campaigns)
    except RebuildUnderWay:
        pass  # another worker is at it
    except RebuildInterrupted:
        log.warning("index.rebuild_interrupted", reason=reason)


def rebuild(
    database: Database,
    client: RedisClient,
    layout: Layout,
    progress: Callable[[int], None] = lambda _done: None,
) -> Rebuilt:
    """Rebuild the index from SQL, in constant memory.

    Raises `RebuildUnderWay`, `RebuildInterrupted`, and what Redis and the database raise.
    """

    def campaigns() -> Iterator[CampaignFacts]:
        with database.reading() as session:
            yield from stream_campaigns(session)

    def numbers() -> Iterator[tuple[str, str | bytes]]:
        with database.reading() as session:
            yield from stream_stored_numbers(session)

    def blocked() -> Iterator[BlockedPattern]:
        with database.reading() as session:
            yield from all_blocked_patterns(session)

    condition = IndexCondition(client, layout)
    servers = condition.servers()
    built = Rebuilder(client, layout).rebuild(campaigns, numbers, blocked, progress)
    condition.was_built_on(servers)
    return built

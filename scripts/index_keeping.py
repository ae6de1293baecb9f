"""Keep the campaign index there and up to date: publish edits, rebuild what was lost."""

from collections.abc import Callable, Iterator
from typing import Any

import structlog

from models.blocked_caller import all_blocked_patterns
from models.database import Database
from models.routes import stream_campaigns, stream_stored_numbers
from routing.blocks import BlockedPattern
from routing.index.layout import Layout
from routing.index.rebuild import Rebuilder, RebuildInterrupted, RebuildUnderWay, Rebuilt
from routing.index.writer import IndexWriter
from routing.link import RedisClient
from routing.route import CampaignFacts
from scripts.publication import Publication

log = structlog.get_logger()


class IndexKeeper:
    """What the worker does for the index. Raises what Redis and the database raise."""

    def __init__(self, database: Database, client: RedisClient, layout: Layout) -> None:
        self._database = database
        self._client = client
        self._layout = layout
        self._publication = Publication(database, IndexWriter(client, layout))

    def keep(self, progress: Callable[[int], None] = lambda _done: None) -> None:
        """One round: rebuild an index that is not there, then publish what waits.

        `progress` hears of each batch of a rebuild; what it raises ends the rebuild.
        """
        if not self._is_whole():
            try:
                built = rebuild(self._database, self._client, self._layout, progress)
                log.info("index.rebuilt", numbers=built.numbers, campaigns=built.campaigns)
            except RebuildUnderWay:
                pass  # another worker is at it
            except RebuildInterrupted:
                log.warning("index.rebuild_interrupted")
        self._publication.publish()

    def _is_whole(self) -> bool:
        return all(self._names_a_generation(self._layout.live(p)) for p in self._layout.all_partitions())

    def _names_a_generation(self, pointer: str) -> bool:
        """Whether a key holds what we write there, and not what somebody else left under our name."""
        if self._client.type(pointer) != b"string":
            return False
        generation: Any = self._client.get(pointer)
        return generation is not None and generation.isdigit()


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

    return Rebuilder(client, layout).rebuild(campaigns, numbers, progress, blocked)

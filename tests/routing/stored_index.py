"""The index and the journal of one Redis, with all doors, for tests that need several of them."""

from collections.abc import Callable
from typing import Any

from routing.blocks import BlockedPattern
from routing.encoding import encoded
from routing.index.audit import Difference, IndexAudit
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex, Miss
from routing.index.rebuild import Rebuilder, Rebuilt
from routing.index.writer import IndexWriter
from routing.journal import Entry, Journal
from routing.link import RedisClient
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, NumberFacts, Route
from tests.routing.facts import Truth


class StoredIndex:
    """Every door to what one Redis holds."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self.client: Any = client
        self.layout = layout
        self.lookup = CampaignIndex(client, layout)
        self.writer = IndexWriter(client, layout)
        self.journal = Journal(client, layout)

    def rebuild(self, truth: Truth, progress: Callable[[int], None] = lambda _done: None) -> Rebuilt:
        rebuilder = Rebuilder(self.client, self.layout)
        return rebuilder.rebuild(
            truth.all_campaigns, lambda: encoded(truth.all_numbers()), truth.all_blocked, progress
        )

    def differences(self, truth: Truth) -> list[Difference]:
        audit = IndexAudit(self.client, self.layout)
        return list(
            audit.differences(truth.all_campaigns(), truth.all_numbers(), truth.all_blocked(), truth.known)
        )

    def put(self, *facts: CampaignFacts | NumberFacts | BlockedPattern) -> None:
        self.writer.put_blocked(fact for fact in facts if isinstance(fact, BlockedPattern))
        self.writer.put_campaigns(fact for fact in facts if isinstance(fact, CampaignFacts))
        self.writer.put_numbers(fact for fact in facts if isinstance(fact, NumberFacts))

    def route(self, number: PhoneNumber) -> Route | Miss:
        return self.lookup.route_of(number)

    def holds(self, truth: Truth) -> bool:
        """Whether every number of `truth` is routed on its very facts."""
        return all(
            self.route(number.number)
            == Route(number, None if number.campaign_id is None else truth.campaigns[number.campaign_id])
            for number in truth.numbers.values()
        )

    def entries(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Everything in the journal as Redis holds it."""
        return [
            entry
            for partition in self.layout.all_partitions()
            for entry in self.client.xrange(self.layout.journal(partition))
        ]

    def take_all(self, consumer: str = "tester") -> list[Entry]:
        self.journal.open()
        return self.journal.read(consumer, 10_000, 1)

    def generation(self, partition: int = 0) -> int | None:
        live = self.client.get(self.layout.live(partition))
        return None if live is None else int(live)

    def bucket_key(self, number: PhoneNumber) -> str:
        place = self.layout.place_of(number)
        return f"{self.layout.prefix(place.partition)}{self.generation(place.partition)}:n:{place.bucket}"

    def campaign_key(self, campaign_id: int, number: PhoneNumber) -> str:
        """The campaign where a call to `number` looks for it."""
        partition = self.layout.place_of(number).partition
        return f"{self.layout.prefix(partition)}{self.generation(partition)}:c:{campaign_id}"

    def blocked_key(self, number: PhoneNumber) -> str:
        """The block lists where a call to `number` looks for them."""
        partition = self.layout.place_of(number).partition
        return f"{self.layout.prefix(partition)}{self.generation(partition)}:b"

    def spoil_number(self, number: PhoneNumber, raw: bytes) -> None:
        self.client.hset(self.bucket_key(number), number.digits, raw)

    def generations_stored(self) -> set[str]:
        """The generations that have any key left."""
        keys = [key.decode() for key in self.client.scan_iter(match="hs[0-9]*", count=1000)]
        found = {key.split("}:")[1].split(":")[0] for key in keys}
        return {name for name in found if name.isdigit()}

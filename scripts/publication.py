"""Carry committed edits from the outbox to the campaign index.

The editing process does it at once; the worker does it for whoever died in between. Both read the
newest facts, so it does not matter who comes first, nor how often.
"""

from collections.abc import Callable

import redis

from models import outbox
from models.blocked_caller import blocked_patterns
from models.database import Database
from models.routes import campaign_facts, number_facts
from routing.index.writer import IndexWriter

BATCH = 500


class Publication:
    """Applies outbox rows to the index, oldest first. Raises what Redis and the database raise."""

    def __init__(self, database: Database, writer: IndexWriter) -> None:
        self._database = database
        self._writer = writer

    def publish(self, at_most: int | None = None) -> int:
        """Apply all that is waiting, or the oldest so many; return how many edits that were."""
        total = 0
        while (at_most is None or total < at_most) and (done := self._publish_batch()):
            total += done
        return total

    def _publish_batch(self) -> int:
        with self._database.reading() as session:
            rows = outbox.pending(session, BATCH)
            campaign_ids = {row.entity_id for row in rows if row.topic is outbox.Topic.CAMPAIGN}
            number_ids = {row.entity_id for row in rows if row.topic is outbox.Topic.TRACKING_NUMBER}
            block_ids = {row.entity_id for row in rows if row.topic is outbox.Topic.BLOCKED_CALLER}
            campaigns = campaign_facts(session, campaign_ids)
            numbers = number_facts(session, number_ids)
            blocked = list(blocked_patterns(session, block_ids))
            applied = [row.id for row in rows]
        # No transaction is open while Redis is asked: a slow Redis must not hold a lock in SQL.
        self._writer.put_campaigns(campaigns.values())
        self._writer.put_numbers(numbers.values())
        self._writer.put_blocked(blocked)
        if applied:
            with self._database.session() as session:
                outbox.discard(session, applied)
        return len(applied)


def at_once(publication: Publication) -> Callable[[], None]:
    """Publish edits when they are made; ConnectionError where Redis does not take them and a worker will."""

    def publish() -> None:
        try:
            publication.publish()
        except redis.RedisError as error:
            raise ConnectionError(type(error).__name__) from error

    return publish

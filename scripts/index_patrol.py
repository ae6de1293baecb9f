"""Compare the whole index with the database now and then, at an easy pace, and heal what is damaged.

The keeper sees an index that is gone. This one sees what is wrong under a pointer that is right:
garbage, lost or surplus entries, later facts than a database has that was restored.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy.orm import Session

from models import outbox
from models.blocked_caller import all_blocked_patterns
from models.database import Database
from models.outbox import Topic
from models.routes import campaign_facts, campaign_ids, held_or_released, number_facts, number_ids
from routing.index.audit import Difference, IndexAudit, surplus
from routing.index.condition import IndexCondition
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts.index_keeping import heal

log = structlog.get_logger()

EVERY = 300
"""Seconds from the beginning of one round to that of the next, of all workers together."""
_BATCH = 1000
_SHARE = 10
"""Comparing takes a tenth of the time; a million numbers take about a quarter of an hour."""
_LOOKS = 3
_LOOK_AGAIN_AFTER = 1.5
"""Seconds. An edit is in the index a second after its commit."""

Rest = Callable[[float], None]
"""Waits so many seconds; what it raises ends the round."""


class IndexPatrol:
    """What the worker does for the index that is there. Raises what Redis and the database raise."""

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
        self._audit = IndexAudit(client, layout)
        self._condition = IndexCondition(client, layout)
        self._next = clock()

    def keep(self, rest: Rest) -> None:
        """Compare everything when it is time, unless another worker does so, and heal what is damaged."""
        if self._clock() < self._next:
            return
        if self._condition.is_whole() and self._condition.claim_comparison(EVERY):
            self._compare(rest)
        self._next = self._clock() + 1

    def _compare(self, rest: Rest) -> None:
        for found in self._batches(rest):
            # An index that went missing meanwhile is being rebuilt by the keeper.
            if found and self._condition.is_whole():
                log.error(
                    "index.damaged", differences=len(found), first=f"{found[0].subject}: {found[0].fault}"
                )
                self._condition.was_compared(datetime.now(UTC), damaged=True)
                heal(self._database, self._client, self._layout, "damaged", lambda _done: rest(0))
                return
        self._condition.was_compared(datetime.now(UTC), damaged=False)

    def _batches(self, rest: Rest) -> Iterator[list[Difference]]:
        """What is wrong for good, a batch of the index after the other."""
        yield from self._in_turn(campaign_ids, self._wrong_campaigns, rest)
        yield from self._in_turn(number_ids, self._wrong_numbers, rest)
        yield self._for_good(self._wrong_blocked, self._wrong_blocked(), rest)
        began = self._clock()
        for listed in self._audit.listed():
            # Numbers are listed after they are committed, and never deleted.
            with self._database.reading() as session:
                known = held_or_released(session, listed)
            yield list(surplus(listed, known))
            rest((self._clock() - began) * (_SHARE - 1))
            began = self._clock()

    def _in_turn(
        self,
        ids_after: Callable[[Session, int, int], list[int]],
        wrong: Callable[[list[int]], list[Difference]],
        rest: Rest,
    ) -> Iterator[list[Difference]]:
        last = 0
        while True:
            began = self._clock()
            with self._database.reading() as session:
                ids = ids_after(session, last, _BATCH)
            if not ids:
                return
            last = ids[-1]
            found = wrong(ids)
            rest((self._clock() - began) * (_SHARE - 1))
            yield self._for_good(partial(wrong, ids), found, rest)

    def _for_good(
        self, look: Callable[[], list[Difference]], found: list[Difference], rest: Rest
    ) -> list[Difference]:
        """What is still wrong after some looks: an edit that passed between two reads is no damage."""
        for _ in range(_LOOKS - 1):
            if not found:
                break
            rest(_LOOK_AGAIN_AFTER)
            found = look()
        return found

    def _wrong_campaigns(self, ids: list[int]) -> list[Difference]:
        with self._database.reading() as session:
            settled = set(ids) - outbox.waiting(session, Topic.CAMPAIGN, ids)
            facts = campaign_facts(session, settled)
        return list(self._audit.of_campaigns(list(facts.values())))

    def _wrong_numbers(self, ids: list[int]) -> list[Difference]:
        with self._database.reading() as session:
            settled = set(ids) - outbox.waiting(session, Topic.TRACKING_NUMBER, ids)
            facts = number_facts(session, settled)
        return list(self._audit.of_numbers(list(facts.values())))

    def _wrong_blocked(self) -> list[Difference]:
        with self._database.reading() as session:
            if outbox.is_waiting(session, Topic.BLOCKED_CALLER):
                return []
            blocked = list(all_blocked_patterns(session))
        return list(self._audit.of_blocked(blocked))

"""What is measured when Prometheus asks: what waits, how old is what we know, does the worker work.

Each measure has the time-outs of the call path and raises where its store does not answer.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from models import outbox
from models.database import Database
from routing.arrival import FactsUnavailable
from routing.breaker import Breaker
from routing.index.condition import IndexCondition
from routing.journal import Journal
from routing.snapshot.reader import Snapshot
from routing.spool.replay import held
from scripts.metrics import Measure, Reading
from scripts.settings import Settings
from scripts.signs_of_life import SignsOfLife


def of_host(settings: Settings, snapshot: Snapshot) -> tuple[Measure, ...]:
    """What lies on this host; needs no store."""

    def copy() -> Iterable[Reading]:
        age = snapshot.age(datetime.now(UTC)).total_seconds()
        yield Reading("hookswitch_snapshot_age_seconds", "Age of this host's last-known copy.", age)

    def spool() -> Iterable[Reading]:
        found = held(settings.spool)
        yield Reading(
            "hookswitch_spool_waiting_bytes", "Calls on this host's disk, not in the log.", found.bytes
        )
        yield Reading("hookswitch_spool_corrupt_records", "Torn records that were set aside.", found.corrupt)

    def worker() -> Iterable[Reading]:
        for loop, at in SignsOfLife(settings.signs_of_life).seen():
            yield Reading(
                "hookswitch_worker_round_age_seconds",
                "Since a worker of this host last did a round that went well, by loop.",
                max(0.0, datetime.now(UTC).timestamp() - at),
                {"loop": loop},
            )

    return copy, spool, worker


def of_redis(journal: Journal, condition: IndexCondition, breaker: Breaker) -> tuple[Measure, ...]:
    """What lies in Redis; left out while calls do not ask it either."""

    def backlog() -> Iterable[Reading]:
        found = journal.backlog()
        yield Reading(
            "hookswitch_journal_entries", "Calls and events that are not in the log yet.", found.entries
        )
        yield Reading("hookswitch_journal_age_seconds", "Age of the oldest of them.", _age(found.oldest))
        yield Reading(
            "hookswitch_journal_set_aside_entries", "Entries that cannot be read or written.", found.set_aside
        )

    def index() -> Iterable[Reading]:
        if (compared := condition.last_comparison()) is not None:
            yield Reading(
                "hookswitch_index_compared_age_seconds",
                "Since a worker last compared the whole index with the database.",
                _age(compared.at),
            )
            yield Reading(
                "hookswitch_index_damaged_total", "Comparisons that found damage.", compared.damages
            )

    return _unless_open(breaker, backlog), _unless_open(breaker, index)


def of_database(database: Database, breaker: Breaker) -> Measure:
    """What lies in the database; left out while calls do not ask it either."""

    def waiting() -> Iterable[Reading]:
        with database.reading() as session:
            edits, oldest = outbox.backlog(session)
        yield Reading("hookswitch_outbox_edits", "Edits that the index has not heard of yet.", edits)
        yield Reading("hookswitch_outbox_age_seconds", "Age of the oldest of them.", _age(oldest))

    return _unless_open(breaker, waiting)


def _unless_open(breaker: Breaker, measure: Measure) -> Callable[[], Iterable[Reading]]:
    def guarded() -> Iterable[Reading]:
        if breaker.is_open:
            raise FactsUnavailable("not asked: it has failed several times in a row")
        # All of it or nothing.
        return list(measure())

    return guarded


def _age(since: datetime | None) -> float:
    """Seconds; 0 where nothing waits, or where another host's clock is ahead of ours."""
    return 0.0 if since is None else max(0.0, (datetime.now(UTC) - since).total_seconds())

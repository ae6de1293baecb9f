"""Calls get from the journal into the log once each, whatever dies, is away or cannot be written."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.auditing import SYSTEM, Author
from models.call import Call
from models.database import Database
from routing.arrival import Arrival, Source
from routing.index.layout import Layout
from routing.journal import GROUP, Entry, Journal
from routing.route import Route
from scripts import draining
from scripts.draining import Drain
from tests.builders import CALLER, an_inbound_call, campaign_facts, number_facts, route
from tests.log_rows import log_rows

STREAM = Layout.journal(0)
NO_COLUMN_HOLDS_THIS = 2**63


@pytest.fixture
def journal(redis_client: redis.Redis) -> Journal:
    return Journal(redis_client, Layout())


def an_arrival(call_sid: str | None = None) -> Arrival:
    return Arrival(an_inbound_call(call_sid=call_sid), route(), Source.DATABASE)


def a_refused_arrival(call_sid: str | None = None) -> Arrival:
    """One that can be read and decided, and that no database takes."""
    huge = NO_COLUMN_HOLDS_THIS
    facts = Route(number_facts(campaign_id=huge), campaign_facts(campaign_id=huge))
    return Arrival(an_inbound_call(call_sid=call_sid), facts, Source.DATABASE)


def logged(database: Database) -> list[str]:
    """The CallSids in the log, sorted."""
    with database.reading() as session:
        return sorted(row["call_sid"] for row in log_rows(session))


def drained(journal: Journal, database: Database, consumer: str = "worker") -> int:
    return Drain(journal, database, consumer).drain(wait_ms=1)


def pending(client: redis.Redis) -> int:
    """Entries that some worker has taken and not acknowledged."""
    waiting: int = client.xpending(STREAM, GROUP)["pending"]
    return waiting


def abandon(client: redis.Redis, journal: Journal, idle_ms: int) -> None:
    """Take all entries as a worker that died `idle_ms` ago."""
    journal.open()
    journal.read("dead", 100, 1)
    fall_silent(client, idle_ms)


def fall_silent(client: redis.Redis, idle_ms: int) -> None:
    """Let `dead` have had no word with Redis for so long."""
    taken = client.xpending_range(STREAM, GROUP, "-", "+", 100)
    ids: list[Any] = [item["message_id"] for item in taken]
    client.xclaim(STREAM, GROUP, "dead", 0, ids, idle=idle_ms)


def set_aside(client: redis.Redis) -> dict[bytes, bytes]:
    """The one entry that was set aside."""
    reply: Any = client.xrange(STREAM + ":unreadable")
    ((_, raw),) = reply
    kept: dict[bytes, bytes] = raw
    return kept


class Flaky(Database):
    """A database that is away for the transactions whose turn is in `away`, counted from 1."""

    away: frozenset[int] = frozenset()
    turn = 0

    @contextmanager
    def session(self, author: Author = SYSTEM) -> Iterator[Session]:
        self.turn += 1
        if self.turn in self.away:
            raise OperationalError("BEGIN", None, OSError("the server is gone"))
        with super().session(author) as session:
            yield session


def test_entries_become_rows_with_the_facts_they_were_decided_on(
    journal: Journal, database: Database
) -> None:
    arrival = an_arrival("CA1")
    journal.append(arrival)
    assert drained(journal, database) == 1
    with database.reading() as session:
        (row,) = log_rows(session)
    assert (row["call_sid"], row["decision"], row["reason"]) == ("CA1", "connect", "live")
    assert row["started_at"] == arrival.call.received_at
    assert row["caller"] == CALLER.e164
    assert set(row["facts"]) == {"number", "campaign"}
    assert journal.length() == 0


def test_an_empty_journal_is_no_work(journal: Journal, postgres_database: Database) -> None:
    assert drained(journal, postgres_database) == 0


def test_a_worker_killed_between_commit_and_acknowledgement_leaves_no_second_row(
    journal: Journal, database: Database, redis_client: redis.Redis
) -> None:
    class Killed(Journal):
        def acknowledge(self, *_: object) -> None:
            raise redis.ConnectionError("killed")

    for serial in range(3):
        journal.append(an_arrival(f"CA{serial}"))
    with pytest.raises(redis.ConnectionError):
        drained(Killed(redis_client, Layout()), database, "dead")
    assert logged(database) == ["CA0", "CA1", "CA2"]
    fall_silent(redis_client, 10_000)

    assert drained(journal, database, "successor") == 3
    assert logged(database) == ["CA0", "CA1", "CA2"]
    assert journal.length() == 0


@pytest.mark.parametrize(("idle_ms", "taken"), [(5_000, 0), (10_000, 1), (60_000, 1)])
def test_entries_of_a_worker_that_is_silent_for_ten_seconds_are_claimed(
    journal: Journal, postgres_database: Database, redis_client: redis.Redis, idle_ms: int, taken: int
) -> None:
    journal.append(an_arrival())
    abandon(redis_client, journal, idle_ms)
    assert drained(journal, postgres_database) == taken
    assert len(logged(postgres_database)) == taken
    assert journal.length() == 1 - taken


def test_while_the_database_is_away_entries_stay_and_are_written_when_it_is_back(
    journal: Journal, tmp_path: Path, sqlite_url: str, redis_client: redis.Redis
) -> None:
    folder = tmp_path / "not-mounted"
    database = Database(sqlite_url.replace(str(tmp_path), str(folder)))
    drain = Drain(journal, database, "worker")
    journal.append(an_arrival("CA1"))
    for _ in range(2):
        with pytest.raises(OperationalError):
            drain.drain(wait_ms=1)
    assert (journal.length(), pending(redis_client)) == (1, 1)

    folder.mkdir()
    shutil.move(tmp_path / "hookswitch.db", folder)
    assert drain.drain(wait_ms=1) == 1
    assert logged(database) == ["CA1"]
    assert journal.length() == 0
    database.dispose()


def test_a_database_without_our_tables_is_no_fault_of_an_entry(journal: Journal, database: Database) -> None:
    journal.append(an_arrival())
    with database.session() as session:
        session.execute(text("DROP TABLE calls"))
    with pytest.raises(SQLAlchemyError):
        drained(journal, database)
    assert (journal.length(), journal.set_aside_count()) == (1, 0)


def test_after_redis_was_emptied_the_next_round_goes_on(
    journal: Journal, sqlite_url: str, redis_client: redis.Redis
) -> None:
    database = Database(sqlite_url)
    drain = Drain(journal, database, "worker")
    drain.drain(wait_ms=1)
    redis_client.flushall()
    journal.append(an_arrival("CA1"))
    with pytest.raises(redis.ResponseError):
        drain.drain(wait_ms=1)
    assert drain.drain(wait_ms=1) == 1
    assert logged(database) == ["CA1"]
    database.dispose()


def test_redis_emptied_before_the_acknowledgement_does_no_harm(
    journal: Journal, sqlite_url: str, redis_client: redis.Redis
) -> None:
    class Emptied(Journal):
        def acknowledge(self, *entries: Any) -> None:
            redis_client.flushall()
            super().acknowledge(*entries)

    database = Database(sqlite_url)
    journal.append(an_arrival("CA1"))
    assert drained(Emptied(redis_client, Layout()), database) == 1
    assert logged(database) == ["CA1"]
    database.dispose()


def test_an_entry_that_cannot_be_read_is_set_aside_whole_and_holds_up_no_other(
    journal: Journal, database: Database, redis_client: redis.Redis
) -> None:
    journal.append(an_arrival("CA1"))
    redis_client.xadd(STREAM, {"call": b"\xff{", "number": b"", "campaign": b""})
    journal.append(an_arrival("CA2"))
    with capture_logs() as logs:
        assert drained(journal, database) == 3
    assert logged(database) == ["CA1", "CA2"]
    assert journal.length() == 0
    assert set_aside(redis_client) == {b"call": b"\xff{", b"number": b"", b"campaign": b""}
    assert [line["event"] for line in logs] == ["journal.unreadable_entry"]


def test_a_row_that_the_database_refuses_is_set_aside_and_blocks_no_other(
    journal: Journal, database: Database, redis_client: redis.Redis
) -> None:
    good = [f"CA{serial:02d}" for serial in range(25)]
    for sid in good[:7]:
        journal.append(an_arrival(sid))
    journal.append(a_refused_arrival("CA99"))
    for sid in good[7:]:
        journal.append(an_arrival(sid))
    with capture_logs() as logs:
        assert drained(journal, database) == 26
    assert logged(database) == good
    assert journal.length() == 0
    assert b'"CA99"' in set_aside(redis_client)[b"call"]
    (line,) = logs
    assert line["event"] == "journal.refused_entry"
    assert line["error"] in {"NumericValueOutOfRange", "OverflowError"}
    assert not any(content in str(line) for content in ("CA99", CALLER.e164, str(NO_COLUMN_HOLDS_THIS)))


def test_what_is_refused_is_set_aside_and_nothing_else_wherever_it_stands(
    journal: Journal, sqlite_url: str, redis_client: redis.Redis
) -> None:
    database = Database(sqlite_url)

    @settings(max_examples=15)
    @given(st.lists(st.booleans(), min_size=1, max_size=12))
    def holds(takeable: list[bool]) -> None:
        redis_client.flushall()
        with database.session() as session:
            session.execute(text("DELETE FROM calls"))
        for serial, good in enumerate(takeable):
            journal.append((an_arrival if good else a_refused_arrival)(f"CA{serial:02d}"))
        with capture_logs():
            assert drained(journal, database) == len(takeable)
        assert logged(database) == [f"CA{serial:02d}" for serial, good in enumerate(takeable) if good]
        assert journal.set_aside_count() == takeable.count(False)
        assert journal.length() == 0

    holds()
    database.dispose()


@pytest.mark.parametrize("turn", [1, 2, 3, 4])
def test_an_outage_while_a_refused_row_is_looked_for_sets_nothing_aside_too_early(
    journal: Journal, sqlite_url: str, turn: int
) -> None:
    database = Flaky(sqlite_url)
    database.away = frozenset({turn})
    for arrival in (an_arrival("CA1"), a_refused_arrival("CA2"), an_arrival("CA3")):
        journal.append(arrival)
    drain = Drain(journal, database, "worker")
    with pytest.raises(OperationalError):
        drain.drain(wait_ms=1)
    assert (journal.length(), journal.set_aside_count()) == (3, 0)
    with capture_logs():
        assert drain.drain(wait_ms=1) == 3
    assert logged(database) == ["CA1", "CA3"]
    assert (journal.length(), journal.set_aside_count()) == (0, 1)
    database.dispose()


def test_what_was_read_ahead_of_a_full_batch_is_written_once_and_finished_at_the_end(
    journal: Journal, postgres_database: Database, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "BATCH", 10)
    for serial in range(35):
        journal.append(an_arrival(f"CA{serial:02d}"))
    drain = Drain(journal, postgres_database, "worker")
    assert [drain.drain(wait_ms=1), drain.drain(wait_ms=1)] == [10, 10]
    drain.finish()
    assert logged(postgres_database) == [f"CA{serial:02d}" for serial in range(30)]
    assert (journal.length(), pending(redis_client)) == (5, 0)


def test_what_was_read_ahead_waits_while_the_database_is_away(
    journal: Journal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "BATCH", 2)
    database = Flaky(sqlite_url)
    database.away = frozenset({1, 2})
    for serial in range(4):
        journal.append(an_arrival(f"CA{serial}"))
    drain = Drain(journal, database, "worker")
    for _ in range(2):
        with pytest.raises(OperationalError):
            drain.drain(wait_ms=1)
    assert [drain.drain(wait_ms=1), drain.drain(wait_ms=1)] == [2, 2]
    assert logged(database) == ["CA0", "CA1", "CA2", "CA3"]
    assert journal.length() == 0
    database.dispose()


def test_the_dead_are_looked_for_once_a_second_and_again_at_once_where_there_were_some(
    journal: Journal, sqlite_url: str, redis_client: redis.Redis
) -> None:
    seconds = [0.0]
    database = Database(sqlite_url)
    drain = Drain(journal, database, "worker", clock=lambda: seconds[0])
    drain.drain(wait_ms=1)
    journal.append(an_arrival("CA1"))
    abandon(redis_client, journal, 10_000)
    taken = []
    for seconds[0] in (0.9, 1.0, 1.0):
        taken.append(drain.drain(wait_ms=1))
    assert taken == [0, 1, 0]
    database.dispose()


def test_workers_side_by_side_write_each_call_once(
    journal: Journal, postgres_database: Database, redis_client: redis.Redis
) -> None:
    class Small(Journal):
        def read(self, consumer: str, count: int, wait_ms: int) -> list[Entry]:
            return super().read(consumer, min(count, 10), wait_ms)

    for serial in range(100):
        journal.append(an_arrival(f"CA{serial:03d}"))
    start = threading.Barrier(3)

    def work(consumer: str) -> int:
        drain = Drain(Small(redis_client, Layout()), postgres_database, consumer)
        start.wait()
        done = 0
        while more := drain.drain(wait_ms=20):
            done += more
        return done

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, "abc")) == 100
    with postgres_database.reading() as session:
        assert session.scalar(select(func.count(Call.id))) == 100
    assert journal.length() == 0

"""A committed edit reaches the index, whoever dies, whoever else publishes, and whatever Redis does."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
import redis
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.auditing import SYSTEM, Author
from models.campaign import Campaign
from models.database import Database
from models.outbox import backlog
from models.routes import held_or_released, route_of, stream_campaigns, stream_numbers
from models.tracking_number import TrackingNumber
from routing.index.audit import Difference, IndexAudit
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex, Miss
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, Route
from scripts import publication
from scripts.index_keeping import IndexKeeper, rebuild
from scripts.publication import Publication
from scripts.stores import open_redis
from tests.builders import NOW, TRACKING, a_campaign, a_number, a_phone

LAYOUT = Layout()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture
def writer(redis_client: redis.Redis) -> IndexWriter:
    return IndexWriter(redis_client, LAYOUT)


@pytest.fixture
def live(database: Database, redis_client: redis.Redis) -> int:
    """The id of a campaign with one number, both in a built index; nothing waits in the outbox."""
    return in_a_built_index(database, redis_client)


def in_a_built_index(database: Database, client: redis.Redis) -> int:
    with database.session() as session:
        campaign = a_campaign(session)
        a_number(session, TRACKING, campaign)
    rebuild(database, client, LAYOUT)
    Publication(database, IndexWriter(client, LAYOUT)).publish()
    return campaign.id


def edit(database: Database, campaign_id: int, name: str) -> None:
    """Commit an edit; nobody publishes it."""
    with database.session() as session:
        session.get_one(Campaign, campaign_id).business_name = name


def indexed(client: redis.Redis) -> Route | Miss:
    return CampaignIndex(client, LAYOUT).route_of(TRACKING)


def indexed_name(client: redis.Redis) -> str:
    found = indexed(client)
    assert isinstance(found, Route)
    assert found.campaign is not None
    return found.campaign.business_name


def waiting(database: Database) -> int:
    with database.reading() as session:
        return backlog(session)[0]


def differences(database: Database, client: redis.Redis) -> list[Difference]:
    with database.reading() as session, database.reading() as other:
        return list(
            IndexAudit(client, LAYOUT).differences(
                stream_campaigns(session),
                stream_numbers(other),
                lambda e164s: held_or_released(session, e164s),
            )
        )


class Interfering(IndexWriter):
    """Lets somebody else act between the reading of the facts and their writing, once."""

    def __init__(self, client: redis.Redis, act: Callable[[], None]) -> None:
        super().__init__(client, LAYOUT)
        self._acts = [act]

    def put_campaigns(self, campaigns: Iterable[CampaignFacts]) -> None:
        facts = list(campaigns)
        while self._acts:
            self._acts.pop()()
        super().put_campaigns(facts)


def test_an_edit_goes_through_the_outbox_into_the_index(
    database: Database, writer: IndexWriter, redis_client: redis.Redis, live: int
) -> None:
    edit(database, live, "Bay Bakery & Sons")
    assert (waiting(database), indexed_name(redis_client)) == (1, "")
    assert Publication(database, writer).publish() == 1
    assert (waiting(database), indexed_name(redis_client)) == (0, "Bay Bakery & Sons")
    with database.reading() as session:
        assert indexed(redis_client) == route_of(session, TRACKING)


def test_a_new_number_and_a_released_one_are_routed_by_the_index(
    database: Database, writer: IndexWriter, redis_client: redis.Redis, live: int
) -> None:
    new = a_phone()
    with database.session() as session:
        number = a_number(session, new, session.get_one(Campaign, live))
    Publication(database, writer).publish()
    assert isinstance(CampaignIndex(redis_client, LAYOUT).route_of(new), Route)
    with database.session() as session:
        session.get_one(TrackingNumber, number.id).release(NOW)
    Publication(database, writer).publish()
    found = CampaignIndex(redis_client, LAYOUT).route_of(new)
    assert isinstance(found, Route)
    assert found.number.released


def test_what_a_killed_editor_left_the_worker_publishes(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    edit(database, live, "Bay Bakery & Sons")
    IndexKeeper(database, redis_client, LAYOUT).keep()
    assert (waiting(database), indexed_name(redis_client)) == (0, "Bay Bakery & Sons")


def test_a_publisher_killed_before_it_forgets_the_edit_leaves_it_to_the_next(
    sqlite_url: str, writer: IndexWriter, redis_client: redis.Redis
) -> None:
    class Killed(Database):
        @contextmanager
        def session(self, author: Author = SYSTEM) -> Iterator[Session]:
            with super().session(author) as session:
                yield session
                raise OperationalError("COMMIT", None, OSError("killed"))

    database, dying = Database(sqlite_url), Killed(sqlite_url)
    live = in_a_built_index(database, redis_client)
    edit(database, live, "Bay Bakery & Sons")
    with pytest.raises(OperationalError):
        Publication(dying, writer).publish()
    assert (waiting(database), indexed_name(redis_client)) == (1, "Bay Bakery & Sons")
    assert Publication(database, writer).publish() == 1
    assert (waiting(database), indexed_name(redis_client)) == (0, "Bay Bakery & Sons")
    for opened in (database, dying):
        opened.dispose()


def test_an_older_fact_never_replaces_a_newer_one(
    database: Database, writer: IndexWriter, redis_client: redis.Redis, live: int
) -> None:
    def overtake() -> None:
        edit(database, live, "newer")
        Publication(database, writer).publish()

    edit(database, live, "older")
    Publication(database, Interfering(redis_client, overtake)).publish()
    assert (waiting(database), indexed_name(redis_client)) == (0, "newer")


def test_an_edit_that_is_committed_while_another_is_published_is_not_forgotten(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    edit(database, live, "older")
    slow = Interfering(redis_client, lambda: edit(database, live, "newer"))
    Publication(database, slow).publish()
    assert (waiting(database), indexed_name(redis_client)) == (0, "newer")


def test_two_publishers_at_once_leave_the_truth(
    postgres_database: Database, writer: IndexWriter, redis_client: redis.Redis
) -> None:
    database = postgres_database
    live = in_a_built_index(database, redis_client)
    start = threading.Barrier(4)

    def edit_often(editor: int) -> None:
        start.wait()
        for serial in range(15):
            with database.session() as session:
                a_number(session, a_phone(), session.get_one(Campaign, live), name=f"{editor}-{serial}")

    def publish_often(_: int) -> None:
        start.wait()
        for _round in range(25):
            Publication(database, writer).publish()

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job, n) for n in range(2) for job in (edit_often, publish_often)]
        for job in jobs:
            job.result()
    Publication(database, writer).publish()
    assert waiting(database) == 0
    assert differences(database, redis_client) == []


def test_more_edits_than_one_batch_all_arrive(
    postgres_database: Database, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = in_a_built_index(postgres_database, redis_client)
    monkeypatch.setattr(publication, "BATCH", 3)
    with postgres_database.session() as session:
        for _ in range(10):
            a_number(session, campaign=session.get_one(Campaign, live))
    assert Publication(postgres_database, IndexWriter(redis_client, LAYOUT)).publish() == 10
    assert differences(postgres_database, redis_client) == []


def test_while_redis_is_away_the_outbox_keeps_the_edit(
    database: Database, writer: IndexWriter, redis_client: redis.Redis, live: int
) -> None:
    edit(database, live, "Bay Bakery & Sons")
    with closing(open_redis("unix:///nowhere/redis.sock", 1)) as away:
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                Publication(database, IndexWriter(away, LAYOUT)).publish()
    assert waiting(database) == 1
    Publication(database, writer).publish()
    assert (waiting(database), indexed_name(redis_client)) == (0, "Bay Bakery & Sons")


def test_the_keeper_rebuilds_an_index_that_was_flushed(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    keeper = IndexKeeper(database, redis_client, LAYOUT)
    keeper.keep()
    redis_client.flushall()
    edit(database, live, "Bay Bakery & Sons")
    assert indexed(redis_client) is Miss.NO_INDEX
    keeper.keep()
    assert indexed_name(redis_client) == "Bay Bakery & Sons"
    assert differences(database, redis_client) == []


def test_the_keeper_leaves_an_index_that_is_there_alone(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    before = redis_client.get(LAYOUT.live(0))
    IndexKeeper(database, redis_client, LAYOUT).keep()
    assert redis_client.get(LAYOUT.live(0)) == before


def test_while_another_process_rebuilds_the_keeper_publishes_all_the_same(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    edit(database, live, "Bay Bakery & Sons")
    redis_client.delete(LAYOUT.live(0))
    redis_client.set(LAYOUT.lock(), "another's")
    IndexKeeper(database, redis_client, LAYOUT).keep()
    assert waiting(database) == 0
    assert redis_client.get(LAYOUT.lock()) == b"another's"


def test_a_keeper_that_is_told_to_stop_leaves_no_lock_and_no_half_index(
    database: Database, redis_client: redis.Redis, live: int
) -> None:
    def stop(_done: int) -> None:
        raise KeyError

    redis_client.flushall()
    keeper = IndexKeeper(database, redis_client, LAYOUT)
    with pytest.raises(KeyError):
        keeper.keep(stop)
    assert indexed(redis_client) is Miss.NO_INDEX
    keeper.keep()
    assert differences(database, redis_client) == []


def test_an_index_of_many_partitions_is_rebuilt_where_one_is_lost(
    sqlite_url: str, redis_client: redis.Redis
) -> None:
    database, layout = Database(sqlite_url), Layout(4)
    numbers = [PhoneNumber(f"+1500555{serial:04d}") for serial in range(20)]
    with database.session() as session:
        campaign = a_campaign(session)
        for number in numbers:
            a_number(session, number, campaign)
    keeper = IndexKeeper(database, redis_client, layout)
    keeper.keep()
    redis_client.delete(layout.live(2))
    keeper.keep()
    index = CampaignIndex(redis_client, layout)
    assert all(isinstance(index.route_of(number), Route) for number in numbers)
    database.dispose()

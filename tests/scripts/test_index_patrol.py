"""The patrol finds and heals what is wrong in an index that is there; edits on their way are no damage."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from models import outbox
from models.campaign import Campaign
from models.database import Database
from models.outbox import Outbox
from models.tracking_number import TrackingNumber
from routing.index.condition import IndexCondition
from routing.index.lookup import CampaignIndex, Miss
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from routing.route import Route
from scripts.index_patrol import IndexPatrol
from scripts.publication import Publication
from tests.builders import TRACKING, a_campaign, a_number
from tests.scripts.installation import Installation

UNKNOWN = PhoneNumber("+15005559999")


class Stopped(Exception):
    """The worker is told to stop."""


@pytest.fixture
def indexed(installation: Installation) -> Installation:
    """Three campaigns with two numbers each, in SQL and in the index."""
    with installation.database.session() as session:
        for _ in range(3):
            campaign = a_campaign(session)
            a_number(session, None, campaign)
            a_number(session, None, campaign)
        a_number(session, TRACKING, campaign)
    installation.rebuild_index()
    Publication(installation.database, IndexWriter(installation.redis, installation.layout)).publish()
    return installation


def patrol(installation: Installation, rest: Callable[[float], None] = lambda _seconds: None) -> list[Any]:
    """One round; return what was logged."""
    installation.redis.delete(installation.layout.comparing())
    with capture_logs() as told:
        IndexPatrol(installation.database, installation.redis, installation.layout).keep(rest)
    return told


def events(told: list[Any]) -> list[str]:
    return [line["event"] for line in told]


def found(installation: Installation, number: PhoneNumber = TRACKING) -> Route | Miss:
    return CampaignIndex(installation.redis, installation.layout).route_of(number)


def keys(installation: Installation, kind: str) -> list[bytes]:
    return list(installation.redis.scan_iter(f"hs1:*:{kind}:*"))


def bucket(installation: Installation) -> str:
    place = installation.layout.place_of(TRACKING)
    generation: Any = installation.redis.get(installation.layout.live(0))
    return f"{installation.layout.prefix(0)}{generation.decode()}:n:{place.bucket}"


def edit(installation: Installation) -> int:
    """Change a campaign without telling the index; return its id."""
    with installation.database.session() as session:
        campaign = session.query(Campaign).order_by(Campaign.id.desc()).first()
        assert campaign is not None
        campaign.enabled = not campaign.enabled
        return campaign.id


def forget_edits(database: Database) -> None:
    with database.session() as session:
        outbox.discard(session, [row.id for row in session.query(Outbox)])


def _garbage_for_a_number(installation: Installation) -> None:
    installation.redis.hset(bucket(installation), TRACKING.digits, b"\xff\x00 garbage")


def _a_lost_number(installation: Installation) -> None:
    installation.redis.hdel(bucket(installation), TRACKING.digits)


def _a_surplus_number(installation: Installation) -> None:
    place = installation.layout.place_of(UNKNOWN)
    key = bucket(installation).rpartition(":")[0] + ":" + place.bucket
    installation.redis.hset(key, UNKNOWN.digits, "1 1 99")


def _a_foreign_type(installation: Installation) -> None:
    key = bucket(installation)
    installation.redis.delete(key)
    installation.redis.rpush(key, "a list of somebody else's")


def _garbage_for_a_campaign(installation: Installation) -> None:
    for key in keys(installation, "c"):
        installation.redis.set(key, "999999999 {not json")


def _a_lost_campaign(installation: Installation) -> None:
    installation.redis.delete(keys(installation, "c")[0])


def _an_edit_that_nobody_carries(installation: Installation) -> None:
    edit(installation)
    forget_edits(installation.database)


DAMAGES = [
    _garbage_for_a_number,
    _a_lost_number,
    _a_surplus_number,
    _a_foreign_type,
    _garbage_for_a_campaign,
    _a_lost_campaign,
    _an_edit_that_nobody_carries,
]


def test_an_index_that_agrees_is_left_alone(indexed: Installation) -> None:
    generation = indexed.redis.get(indexed.layout.live(0))
    assert patrol(indexed) == []
    assert indexed.redis.get(indexed.layout.live(0)) == generation
    compared = IndexCondition(indexed.redis, indexed.layout).last_comparison()
    assert compared is not None
    assert (compared.damaged, compared.damages) == (False, 0)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_damage_is_told_counted_and_healed(
    indexed: Installation, damage: Callable[[Installation], None]
) -> None:
    damage(indexed)
    told = patrol(indexed)
    assert events(told) == ["index.damaged", "index.rebuilt"]
    assert told[0]["differences"] >= 1
    assert not any(number in str(told) for number in (TRACKING.digits, UNKNOWN.digits))
    assert isinstance(found(indexed), Route)
    assert found(indexed, UNKNOWN) is Miss.NOT_LISTED
    compared = IndexCondition(indexed.redis, indexed.layout).last_comparison()
    assert compared is not None
    assert (compared.damaged, compared.damages) == (True, 1)
    assert patrol(indexed) == []


def test_an_edit_that_waits_in_the_outbox_is_no_damage(indexed: Installation) -> None:
    edit(indexed)
    assert patrol(indexed) == []


def test_a_number_that_waits_in_the_outbox_is_no_damage(indexed: Installation) -> None:
    with indexed.database.session() as session:
        session.query(TrackingNumber).filter_by(number=TRACKING).one().name = "Leaflet"
        a_number(session, UNKNOWN)
    assert patrol(indexed) == []


def test_an_edit_that_arrives_before_the_second_look_is_no_damage(indexed: Installation) -> None:
    campaign_id = edit(indexed)
    with indexed.database.session() as session:
        waiting = [(row.topic, row.entity_id, row.revision, row.created_at) for row in session.query(Outbox)]
    forget_edits(indexed.database)

    def rest(_seconds: float) -> None:
        """Stands for the editor, who was about to carry his edit."""
        with indexed.database.session() as session:
            for topic, entity_id, revision, created_at in waiting:
                session.add(
                    Outbox(topic=topic, entity_id=entity_id, revision=revision, created_at=created_at)
                )
        Publication(indexed.database, IndexWriter(indexed.redis, indexed.layout)).publish()

    assert campaign_id in {entity_id for _, entity_id, _, _ in waiting}
    assert patrol(indexed, rest) == []


def test_an_index_that_is_not_there_is_the_keepers_matter(indexed: Installation) -> None:
    indexed.redis.flushall()
    assert patrol(indexed) == []
    assert found(indexed) is Miss.NO_INDEX
    assert not indexed.redis.exists(indexed.layout.comparing())


def test_an_index_that_is_lost_meanwhile_is_the_keepers_matter(indexed: Installation) -> None:
    def lose(_seconds: float) -> None:
        indexed.redis.flushall()

    assert patrol(indexed, lose) == []


def test_a_rebuild_meanwhile_is_no_damage(indexed: Installation) -> None:
    assert patrol(indexed, lambda _seconds: indexed.rebuild_index()) == []


def test_several_workers_take_turns(indexed: Installation) -> None:
    rounds: list[int] = []
    patrols = [IndexPatrol(indexed.database, indexed.redis, indexed.layout) for _ in range(3)]
    for number, each in enumerate(patrols):
        each.keep(lambda _seconds, number=number: rounds.append(number))  # type: ignore[misc]
    assert set(rounds) == {0}
    indexed.redis.delete(indexed.layout.comparing())  # its time is over
    patrols[2] = IndexPatrol(indexed.database, indexed.redis, indexed.layout)
    patrols[2].keep(lambda _seconds: rounds.append(2))
    assert set(rounds) == {0, 2}


def test_nine_tenths_of_the_time_it_rests(indexed: Installation) -> None:
    rests: list[float] = []
    ticking = itertools.count()
    watch = IndexPatrol(indexed.database, indexed.redis, indexed.layout, clock=lambda: float(next(ticking)))
    watch.keep(rests.append)
    assert rests
    assert set(rests) == {9.0}


def test_it_stops_in_the_middle_when_told_to(indexed: Installation) -> None:
    def stop(_seconds: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        patrol(indexed, stop)
    assert IndexCondition(indexed.redis, indexed.layout).last_comparison() is None

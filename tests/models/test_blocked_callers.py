"""Block lists in SQL: who is blocked where, since when and how often; and how the index hears of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import call_log
from models.blocked_caller import (
    AlreadyBlocked,
    BlockedCaller,
    Hits,
    all_blocked_patterns,
    block,
    blocked_patterns,
    hits,
    listed,
)
from models.call import call_by_sid
from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.outbox import Topic, discard, pending
from models.propagation import WriteRefused
from models.routes import number_facts, route_of
from models.tracking_number import TrackingNumber
from routing.arrival import Arrival, Source
from routing.blocks import BlockedPattern, CallerPattern, patterns_of
from routing.decision import Reason, Reject
from routing.route import Route
from tests.builders import CALLER, NOW, TRACKING, a_campaign, a_group, a_number, an_inbound_call

ROBOTS = CallerPattern("+1900*")
THE_CALLER = CallerPattern(CALLER.e164)
SECOND = timedelta(seconds=1)


def a_block(
    session: Session, group: Group, pattern: CallerPattern = THE_CALLER, **said: object
) -> BlockedCaller:
    return block(session, pattern, group_id=group.id, at=NOW, **said)  # type: ignore[arg-type]


def changes(database: Database) -> list[tuple[Topic, int, int]]:
    """What waits in the outbox; it is forgotten."""
    with database.session() as session:
        found = pending(session, 100)
        discard(session, [change.id for change in found])
    return [(change.topic, change.entity_id, change.revision) for change in found]


def route_for_the_caller(database: Database) -> Route:
    with database.reading() as session:
        route = route_of(session, TRACKING, patterns_of(CALLER))
    assert route is not None
    return route


def test_callers_are_blocked_once_a_group(database: Database) -> None:
    with database.session() as session:
        group, other = a_group(session), a_group(session)
        first = a_block(session, group)
        a_block(session, other)
        a_block(session, group, ROBOTS)
        with pytest.raises(AlreadyBlocked, match=f"block {first.id} ") as refused:
            a_block(session, group)
        assert CALLER.digits not in str(refused.value)


def test_two_who_block_the_same_at_once_leave_one_block(postgres_database: Database) -> None:
    database = postgres_database
    with database.session() as session:
        group = a_group(session)

    def add() -> bool:
        with database.session() as session:
            a_block(session, group)
        return True

    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            a_block(session, group)
            second = pool.submit(add)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.1)
        with pytest.raises(AlreadyBlocked):
            second.result()


def test_a_group_that_does_not_exist_is_not_taken_for_a_block_that_does(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        block(session, ROBOTS, group_id=99, at=NOW)


def test_a_block_that_was_lifted_or_has_expired_makes_way(database: Database) -> None:
    with database.session() as session:
        group = a_group(session)
        a_block(session, group).lift(NOW)
        expired = a_block(session, group, expires_at=NOW)
        last = a_block(session, group)
        assert expired.lifted_at == NOW
        assert [found.id for found in listed(session, at=NOW)] == [last.id]
        assert len(listed(session, at=NOW, ended=True)) == 3


def test_a_block_keeps_what_it_is_about(database: Database) -> None:
    with database.session() as session:
        found = a_block(session, a_group(session))
        found.reason = "robots"
        for name, value in (("pattern", "+1*"), ("group_id", 99)):
            with pytest.raises(ValueError, match="stays"):
                setattr(found, name, value)
        found.lift(NOW)
        with pytest.raises(ValueError, match="stays"):
            found.lifted_at = None


def test_a_block_is_never_deleted(database: Database) -> None:
    with database.session() as session:
        found = a_block(session, a_group(session))
    with pytest.raises(WriteRefused), database.session() as session:
        session.delete(session.get_one(BlockedCaller, found.id))


def test_the_list_of_a_group_has_those_of_the_groups_below(database: Database) -> None:
    with database.session() as session:
        root = a_group(session)
        below = a_group(session, parent_id=root.id)
        ids = [a_block(session, group).id for group in (root, below, a_group(session))]
        assert [found.id for found in listed(session, root.id, at=NOW)] == ids[:2]
        assert [found.id for found in listed(session, below.id, at=NOW)] == ids[1:2]
        assert [found.id for found in listed(session, at=NOW)] == ids


@pytest.mark.parametrize(("early", "is_listed"), [(SECOND, True), (timedelta(0), False), (-SECOND, False)])
def test_an_expired_block_is_listed_no_more(database: Database, early: timedelta, is_listed: bool) -> None:  # noqa: FBT001
    with database.session() as session:
        a_block(session, a_group(session), expires_at=NOW + early)
        assert bool(listed(session, at=NOW)) is is_listed


def test_a_number_has_the_blocks_of_its_groups_and_not_of_others(database: Database) -> None:
    with database.session() as session:
        root = a_group(session)
        branch, sibling = (a_group(session, parent_id=root.id) for _ in range(2))
        a_number(session, TRACKING, a_campaign(session, group_id=branch.id))
        wanted = [a_block(session, branch), a_block(session, root, CallerPattern("+1303*"))]
        a_block(session, sibling)
        a_block(session, root, ROBOTS)
        a_block(session, root).lift(NOW)
    route = route_for_the_caller(database)
    assert [held.block_id for held in route.blocks] == [row.id for row in wanted]
    assert route.groups == (branch.id, root.id)
    with database.reading() as session:
        assert route_of(session, TRACKING) == Route(route.number, route.campaign)


def test_a_number_without_a_campaign_has_the_blocks_of_its_own_groups(database: Database) -> None:
    with database.session() as session:
        root = a_group(session)
        held = a_number(session, TRACKING, group_id=a_group(session, parent_id=root.id).id)
        a_block(session, root)
    route = route_for_the_caller(database)
    assert Arrival(an_inbound_call(), route, Source.DATABASE).decision == Reject(Reason.BLOCKED_CALLER)
    with database.reading() as session:
        assert number_facts(session, [held.id])[held.id] == route.number


def test_every_change_of_a_block_is_in_the_outbox(database: Database) -> None:
    with database.session() as session:
        found = a_block(session, a_group(session))
        found.lift(NOW)
    assert changes(database) == [(Topic.BLOCKED_CALLER, found.id, 1), (Topic.BLOCKED_CALLER, found.id, 2)]


def test_the_index_gets_all_blocks_of_a_pattern_and_its_revision_only_rises(database: Database) -> None:
    with database.session() as session:
        group, other = a_group(session), a_group(session)
        first = a_block(session, group)
        a_block(session, group, ROBOTS)
    seen: list[BlockedPattern] = []
    for change in (
        lambda session: a_block(session, other, expires_at=NOW),
        lambda session: session.get_one(BlockedCaller, first.id).lift(NOW),
        lambda session: a_block(session, group),
    ):
        with database.session() as session:
            change(session)
        with database.reading() as session:
            [found] = blocked_patterns(session, [first.id])
            assert found in list(all_blocked_patterns(session))
        seen.append(found)
    assert [len(found.blocks) for found in seen] == [2, 1, 2]
    assert [found.revision for found in seen] == sorted({found.revision for found in seen})


def test_a_pattern_that_nobody_blocks_any_more_is_still_told(database: Database) -> None:
    with database.session() as session:
        found = a_block(session, a_group(session))
        found.lift(NOW)
    with database.reading() as session:
        assert list(all_blocked_patterns(session)) == [BlockedPattern(THE_CALLER, 2)]


def test_moving_a_group_tells_the_numbers_below_which_lists_count(database: Database) -> None:
    with database.session() as session:
        strict, moved = a_group(session), a_group(session)
        below = a_group(session, parent_id=moved.id)
        campaign = a_campaign(session, group_id=below.id)
        a_number(session, TRACKING, campaign)
        spare = a_number(session, group_id=below.id)
        a_block(session, strict)
    changes(database)
    with database.session() as session:
        loaded = session.get_one(TrackingNumber, spare.id)
        session.get_one(Group, moved.id).parent_id = strict.id
        session.flush()
        loaded.name = "renamed after"
    assert changes(database) == [
        (Topic.CAMPAIGN, campaign.id, 2),
        (Topic.TRACKING_NUMBER, spare.id, 2),
        (Topic.TRACKING_NUMBER, spare.id, 3),
    ]
    route = route_for_the_caller(database)
    assert route.groups == (below.id, moved.id, strict.id)
    assert len(route.blocks) == 1


@pytest.mark.parametrize("change", [{"countries": "us,ca"}, {"talk_limit": 600}])
def test_what_a_group_allows_reaches_all_campaigns_below(
    database: Database, change: dict[str, object]
) -> None:
    with database.session() as session:
        root = a_group(session)
        below = a_group(session, parent_id=root.id)
        campaign = a_campaign(session, group_id=below.id)
        a_number(session, TRACKING, campaign)
    changes(database)
    with database.session() as session:
        for name, value in change.items():
            setattr(session.get_one(Group, root.id), name, value)
    assert changes(database) == [(Topic.CAMPAIGN, campaign.id, 2)]
    facts = route_for_the_caller(database).campaign
    assert facts is not None
    assert (facts.countries, facts.talk_limit) in {(("CA", "US"), None), (None, 600)}


def test_the_nearest_group_that_says_so_counts_and_the_campaign_before_it(database: Database) -> None:
    with database.session() as session:
        root = a_group(session, countries="GB,US", talk_limit=900)
        middle = a_group(session, parent_id=root.id, countries="US")
        below = a_group(session, parent_id=middle.id, talk_limit=120)
        campaign = a_campaign(session, group_id=below.id)
        a_number(session, TRACKING, campaign)
    facts = route_for_the_caller(database).campaign
    assert facts is not None
    assert (facts.countries, facts.talk_limit) == (("US",), 120)
    with database.session() as session:
        session.get_one(Campaign, campaign.id).talk_limit = 60
    facts = route_for_the_caller(database).campaign
    assert facts is not None
    assert facts.talk_limit == 60


@pytest.mark.parametrize("seconds", [59, 14_401])
def test_a_talk_limit_outside_a_minute_to_four_hours_is_refused(database: Database, seconds: int) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        a_group(session, talk_limit=seconds)
    with pytest.raises(IntegrityError), database.session() as session:
        a_campaign(session, talk_limit=seconds)


@pytest.mark.parametrize("seconds", [60, 14_400])
def test_the_shortest_and_the_longest_talk_limit_are_taken(database: Database, seconds: int) -> None:
    with database.session() as session:
        assert a_campaign(session, group_id=a_group(session, talk_limit=seconds).id, talk_limit=seconds).id


def test_hits_are_counted_from_the_log(database: Database) -> None:
    with database.session() as session:
        group = a_group(session)
        a_number(session, TRACKING, a_campaign(session, group_id=group.id))
        found, idle = a_block(session, group), a_block(session, group, ROBOTS)
    route = route_for_the_caller(database)
    calls = [an_inbound_call(received_at=NOW + n * SECOND) for n in range(3)]
    arrivals = [Arrival(call, route, Source.DATABASE) for call in calls]
    call_log.record(database, [*arrivals, arrivals[0]], NOW, "1")
    with database.reading() as session:
        assert hits(session, [found.id, idle.id]) == {found.id: Hits(3, NOW + 2 * SECOND)}
        logged = call_by_sid(session, "twilio", calls[0].call_sid)
        assert logged is not None
        assert (logged.decision, logged.reason, logged.blocked_by) == ("reject", "blocked_caller", found.id)
        assert set(logged.facts or {}) == {"number", "campaign", "blocks"}

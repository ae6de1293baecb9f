"""A caller on a block list rings: rejected before anything else, and never hidden from the log."""

from datetime import timedelta

import pytest

from models.blocked_caller import BlockedCaller, block
from models.call import call_by_sid
from models.group import Group
from routing.blocks import CallerPattern
from routing.link import RedisClient
from routing.numbers import PhoneNumber
from tests.builders import BUSINESS, NOW, TRACKING, a_campaign, a_group, a_number
from tests.webhooks.switchboard import Heard, Switchboard

CALLER = "+14155550142"
SIBLING = PhoneNumber("+15005550101")
CALL_SID = "CA" + "7" * 32
SECOND = timedelta(seconds=1)


@pytest.fixture
def root(switchboard: Switchboard) -> Group:
    """A group with two branches, one number each."""
    with switchboard.database.session() as session:
        group = a_group(session)
        for number in (TRACKING, SIBLING):
            branch = a_group(session, parent_id=group.id)
            a_number(session, number, a_campaign(session, group_id=branch.id))
    switchboard.rebuild_index()
    return group


def put_on_list(switchboard: Switchboard, group_id: int, pattern: str = CALLER, **said: object) -> int:
    with switchboard.database.session() as session:
        found = block(session, CallerPattern(pattern), group_id=group_id, at=NOW, **said)  # type: ignore[arg-type]
    switchboard.publish()
    return found.id


def branch_of(switchboard: Switchboard, root: Group) -> int:
    with switchboard.database.reading() as session:
        return min(group.id for group in session.query(Group).filter(Group.parent_id == root.id))


def is_rejected(heard: Heard) -> bool:
    assert heard.verbs in (["Reject"], ["Dial"])
    return heard.verbs == ["Reject"]


@pytest.mark.parametrize("pattern", [CALLER, "+1415*"])
def test_a_blocked_caller_is_rejected_and_logged_with_the_block(
    switchboard: Switchboard, root: Group, pattern: str
) -> None:
    block_id = put_on_list(switchboard, root.id, pattern)
    heard = switchboard.ring(TRACKING.e164, CallSid=CALL_SID)
    assert heard.verbs == ["Reject"]
    assert heard.document[0].attrib == {"reason": "rejected"}
    switchboard.drain()
    with switchboard.database.reading() as session:
        logged = call_by_sid(session, "twilio", CALL_SID)
    assert logged is not None
    assert (logged.decision, logged.reason, logged.source) == ("reject", "blocked_caller", "index")
    assert (logged.blocked_by, logged.destination) == (block_id, None)
    assert logged.caller == PhoneNumber(CALLER)


@pytest.mark.parametrize("caller", ["anonymous", "Restricted", "+266696687", ""])
def test_withheld_callers_are_blocked_as_anonymous(
    switchboard: Switchboard, root: Group, caller: str
) -> None:
    put_on_list(switchboard, root.id, "anonymous")
    assert is_rejected(switchboard.ring(TRACKING.e164, From=caller))
    assert not is_rejected(switchboard.ring(TRACKING.e164))


def test_a_block_of_one_branch_leaves_the_other_alone(switchboard: Switchboard, root: Group) -> None:
    put_on_list(switchboard, branch_of(switchboard, root))
    assert is_rejected(switchboard.ring(TRACKING.e164))
    assert not is_rejected(switchboard.ring(SIBLING.e164))


@pytest.mark.parametrize(("late", "is_blocked"), [(-SECOND, True), (timedelta(0), False), (SECOND, False)])
def test_a_block_expires_without_a_write(
    switchboard: Switchboard,
    root: Group,
    late: timedelta,
    is_blocked: bool,  # noqa: FBT001 - an example
) -> None:
    put_on_list(switchboard, root.id, expires_at=NOW)
    assert is_rejected(switchboard.ring(TRACKING.e164, at=NOW + late)) is is_blocked


def test_a_lifted_block_lets_the_next_call_through(switchboard: Switchboard, root: Group) -> None:
    block_id = put_on_list(switchboard, root.id)
    with switchboard.database.session() as session:
        session.get_one(BlockedCaller, block_id).lift(NOW)
    switchboard.publish()
    assert switchboard.ring(TRACKING.e164).dialled == BUSINESS.e164


def test_a_campaign_that_is_paused_says_blocked_all_the_same(switchboard: Switchboard, root: Group) -> None:
    block_id = put_on_list(switchboard, root.id)
    with switchboard.database.session() as session:
        a_number(session, PhoneNumber("+15005550102"), a_campaign(session, group_id=root.id, enabled=False))
    switchboard.publish()
    switchboard.ring("+15005550102", CallSid=CALL_SID)
    switchboard.drain()
    with switchboard.database.reading() as session:
        logged = call_by_sid(session, "twilio", CALL_SID)
    assert logged is not None
    assert (logged.reason, logged.blocked_by) == ("blocked_caller", block_id)


def test_without_an_index_the_database_knows_who_is_blocked(
    switchboard: Switchboard, redis_client: RedisClient, root: Group
) -> None:
    put_on_list(switchboard, root.id)
    redis_client.flushall()
    assert is_rejected(switchboard.ring(TRACKING.e164))
    assert not is_rejected(switchboard.ring(TRACKING.e164, From="+13035550142"))

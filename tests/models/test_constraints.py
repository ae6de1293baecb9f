"""What the database itself refuses, whoever writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier
from traceback import format_exception
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from models.campaign import Campaign
from models.database import Database
from models.group import Group, GroupCycle, ancestors, subtree
from models.plan import Plan
from models.prompt import Prompt, PromptKind, audio_by_digest, store_recording
from models.tracking_number import NumberStatus, NumberTaken, TrackingNumber, held_number, hold_number
from models.user import User, user_by_email
from routing.numbers import PhoneNumber
from tests.builders import (
    BUSINESS,
    NOW,
    TRACKING,
    a_campaign,
    a_group,
    a_number,
    a_phone,
    a_plan,
    a_text_prompt,
    a_user,
)

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("after_start", [-TICK, timedelta(0)])
def test_a_campaign_must_end_after_its_start(database: Database, after_start: timedelta) -> None:
    with pytest.raises(IntegrityError, match="ends_after_its_start"), database.session() as session:
        a_campaign(session, starts_at=NOW, ends_at=NOW + after_start)


def test_a_campaign_may_last_a_microsecond(database: Database) -> None:
    with database.session() as session:
        assert a_campaign(session, starts_at=NOW, ends_at=NOW + TICK).id


@pytest.mark.parametrize("missing", ["owner_id", "group_id", "name", "starts_at"])
def test_a_campaign_needs_owner_group_name_and_start(database: Database, missing: str) -> None:
    with pytest.raises(IntegrityError, match=missing), database.session() as session:
        a_campaign(session, **({"group_id": a_group(session).id} | {missing: None}))


@pytest.mark.parametrize(
    "build",
    [
        lambda session: a_campaign(session, name=" "),
        lambda session: a_group(session, name=""),
        lambda session: a_plan(session, name=" "),
        lambda session: a_user(session, name=""),
        lambda session: a_user(session, email=" "),
        lambda session: a_campaign(session, owner_id=999),
        lambda session: a_number(session, group_id=999),
        lambda session: a_number(session, ring_timeout=4),
        lambda session: a_number(session, ring_timeout=601),
        lambda session: a_group(session, default_ring_timeout=4),
        lambda session: a_text_prompt(session, kind=PromptKind.RECORDING),
    ],
)
def test_rows_that_make_no_sense_are_refused(database: Database, build: Callable[[Session], object]) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        build(session)


@pytest.mark.parametrize("seconds", [5, 6, 599, 600, None])
def test_a_ring_timeout_lies_between_5_and_600_seconds(database: Database, seconds: int | None) -> None:
    with database.session() as session:
        assert a_number(session, ring_timeout=seconds).ring_timeout == seconds


@pytest.mark.parametrize("column", ["status", "caller_id"])
def test_only_known_words_are_stored(database: Database, column: str) -> None:
    with database.session() as session:
        a_number(session)
    with pytest.raises(IntegrityError), database.session() as session:
        session.execute(text(f"UPDATE tracking_numbers SET {column} = 'odd'"))  # noqa: S608


def test_an_address_belongs_to_one_user_in_whatever_case(database: Database) -> None:
    with database.session() as session:
        alice = a_user(session, email=" Alice@Example.com ")
        assert user_by_email(session, "ALICE@example.com") is alice
    with pytest.raises(IntegrityError), database.session() as session:
        a_user(session, email="aLICE@example.com")


def test_a_plan_has_its_name_alone(database: Database) -> None:
    with database.session() as session:
        a_plan(session, name="Basic")
    with pytest.raises(IntegrityError), database.session() as session:
        a_plan(session, name="Basic")


def test_a_number_is_held_once(database: Database) -> None:
    with database.session() as session:
        first = a_number(session, TRACKING)
        with pytest.raises(NumberTaken) as refusal:
            a_number(session, TRACKING)
        # The transaction goes on as if nothing had been tried.
        assert held_number(session, TRACKING) is first
    assert TRACKING.e164 not in str(refusal.value)
    with database.reading() as session:
        assert session.scalars(select(TrackingNumber.id)).all() == [first.id]


def test_of_two_who_take_a_number_at_once_one_gets_it(database: Database) -> None:
    with database.session() as session:
        group_id = a_group(session).id
    together = Barrier(2)

    def take(_serial: int) -> bool:
        together.wait()
        try:
            with database.session() as session:
                hold_number(session, TRACKING, group_id=group_id, carrier="twilio")
        except NumberTaken:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]


def test_a_number_held_again_starts_above_all_its_earlier_revisions(database: Database) -> None:
    with database.session() as session:
        first = a_number(session, TRACKING)
        first.name = "renamed"
        session.flush()
        first.release(NOW)
    with database.session() as session:
        second = a_number(session, TRACKING)
        assert (first.revision, second.revision) == (3, 4)
        second.release(NOW)
        session.flush()
        assert a_number(session, TRACKING).revision == 6


def test_holding_waits_for_a_release_under_way_and_starts_above_it(postgres_database: Database) -> None:
    database = postgres_database
    with database.session() as session:
        first = a_number(session, TRACKING)
        group_id = first.group_id

    def take() -> int:
        with database.session() as session:
            return hold_number(session, TRACKING, group_id=group_id, carrier="twilio").revision

    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            session.get_one(TrackingNumber, first.id).release(NOW)
            session.flush()
            taking = pool.submit(take)
            _wait_for_a_lock(database)
        assert taking.result() == 3


def _wait_for_a_lock(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while True:
        with database.reading() as session:
            if session.scalar(waiting):
                return


def test_a_released_number_does_not_come_back_in_its_old_row(database: Database) -> None:
    with database.session() as session:
        number = a_number(session)
        number.release(NOW)
        session.flush()
        with pytest.raises(ValueError, match="holding it again"):
            number.status = NumberStatus.ACTIVE
        with pytest.raises(ValueError, match="keeps its number"):
            number.number = a_phone()


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW + TICK,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2))),
        datetime(2028, 2, 29, 23, 59, tzinfo=timezone(-timedelta(hours=8))),
    ],
)
def test_instants_come_back_in_utc_to_the_microsecond(database: Database, moment: datetime) -> None:
    with database.session() as session:
        campaign_id = a_campaign(session, starts_at=datetime(1960, 1, 1, tzinfo=UTC), ends_at=moment).id
    with database.reading() as session:
        found = session.get_one(Campaign, campaign_id).ends_at
        assert found == moment
        assert found is not None
        assert found.tzinfo is UTC
        assert session.scalar(select(Campaign.id).where(Campaign.ends_at == moment)) == campaign_id
        assert session.scalar(select(Campaign.id).where(Campaign.ends_at < moment)) is None


def test_an_instant_without_offset_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="offset"), database.session() as session:
        a_campaign(session, starts_at=NOW.replace(tzinfo=None))


def test_numbers_come_back_as_numbers(database: Database) -> None:
    longest = PhoneNumber("+123456789012345")
    with database.session() as session:
        number_id = a_number(session, longest, destination=BUSINESS).id
    with database.reading() as session:
        found = session.get_one(TrackingNumber, number_id)
        assert (found.number, found.destination) == (longest, BUSINESS)


def _changed(database: Database, kind: Any, entity_id: int, **values: Any) -> None:
    with database.session() as session:
        entity = session.get_one(kind, entity_id)
        for name, value in values.items():
            setattr(entity, name, value)


def test_a_write_based_on_an_old_revision_is_stale(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
        number = a_number(session, campaign=campaign)
    _changed(database, Campaign, campaign.id, name="Faster")
    _changed(database, TrackingNumber, number.id, name="Faster")
    for slow in (campaign, number):
        slow.name = "Slower"
        with pytest.raises(StaleDataError), database.session() as session:
            session.add(slow)
    with database.reading() as session:
        assert [tuple(row) for row in session.execute(select(Campaign.name, Campaign.revision))] == [
            ("Faster", 2)
        ]


def test_writes_stamp_their_rows_by_the_clock_of_the_database(database: Database) -> None:
    later = NOW + timedelta(hours=1)
    clock = iter([NOW] * 3 + [later] * 2)
    clocked = Database(database.engine.url.render_as_string(hide_password=False), clock=lambda: next(clock))
    with clocked.session() as session:
        campaign = a_campaign(session)
    with clocked.session() as session:
        session.get_one(Campaign, campaign.id).name = "Renamed"
    with clocked.reading() as session:
        found = session.get_one(Campaign, campaign.id)
        assert (found.created_at, found.updated_at) == (NOW, later)
    clocked.dispose()


def test_a_group_cannot_stand_below_itself(database: Database) -> None:
    with database.session() as session:
        root = a_group(session)
        child = a_group(session, parent_id=root.id)
        grandchild = a_group(session, parent_id=child.id)
        other = a_group(session)
        assert ancestors(session, grandchild.id) == [root, child, grandchild]
        assert set(session.scalars(select(Group.id).where(Group.id.in_(subtree(child.id))))) == {
            child.id,
            grandchild.id,
        }
    for group in (root, child):
        with pytest.raises(GroupCycle):
            _changed(database, Group, group.id, parent_id=grandchild.id)
    child.parent_id, other.parent_id = other.id, child.id
    with pytest.raises(GroupCycle), database.session() as session:
        session.add_all([child, other])


def test_a_recording_is_kept_once_under_its_digest(database: Database) -> None:
    with database.session() as session:
        first = store_recording(session, b"beep", media_type="audio/wav", seconds=0.5, at=NOW)
    with database.session() as session:
        again = store_recording(session, b"beep", media_type="audio/wav", seconds=0.5, at=NOW)
        assert again.digest == first.digest
        with pytest.raises(ValueError, match="audio/ogg"):
            store_recording(session, b"boop", media_type="audio/ogg", seconds=0.5, at=NOW)
    with database.reading() as session:
        kept = audio_by_digest(session, first.digest)
        assert kept is not None
        assert (kept.data, kept.seconds, kept.created_at) == (b"beep", 0.5, NOW)
        assert audio_by_digest(session, "0" * 64) is None


def test_a_failed_statement_does_not_show_its_numbers(database: Database) -> None:
    with pytest.raises(IntegrityError) as failure, database.session() as session:
        a_number(session, TRACKING, ring_timeout=1, destination=a_phone(4321))
    shown = "".join(format_exception(failure.value))
    assert "ring_timeout" in shown
    assert TRACKING.e164 not in shown
    assert a_phone(4321).e164 not in shown


def test_nothing_is_written_in_a_snapshot_for_reading(database: Database) -> None:
    with database.reading() as session, pytest.raises((OperationalError, StatementError)):
        session.execute(text("DELETE FROM calls"))
    with database.session() as session:
        assert a_user(session).id  # the connection can write again


def test_rows_that_others_need_stay(database: Database) -> None:
    with database.session() as session:
        prompt = a_text_prompt(session)
        campaign = a_campaign(session, prompt_id=prompt.id)
        plan = a_plan(session)
        a_group(session, plan_id=plan.id)
    for kind, entity_id in ((Prompt, prompt.id), (User, campaign.owner_id), (Plan, plan.id)):
        with pytest.raises(IntegrityError), database.session() as session:
            session.delete(session.get_one(kind, entity_id))

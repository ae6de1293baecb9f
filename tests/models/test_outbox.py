"""Every committed change of a routing fact stands in the outbox, whoever made it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.orm.exc import StaleDataError

from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.outbox import Topic, backlog, discard, pending
from models.plan import Plan
from models.prompt import Prompt
from models.propagation import WriteRefused
from models.routes import campaign_facts
from models.tracking_number import TrackingNumber
from tests.builders import (
    NOW,
    a_campaign,
    a_group,
    a_number,
    a_plan,
    a_recorded_prompt,
    a_text_prompt,
    a_user,
)


def changes(database: Database) -> list[tuple[Topic, int, int]]:
    with database.reading() as session:
        return [(c.topic, c.entity_id, c.revision) for c in pending(session, 100)]


def forget(database: Database) -> None:
    with database.session() as session:
        discard(session, [change.id for change in pending(session, 100)])


def test_new_and_changed_campaigns_and_numbers_are_in_the_outbox(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
        number = a_number(session, campaign=campaign)
        campaign.enabled = False
    with database.session() as session:
        session.get_one(TrackingNumber, number.id).release(NOW)
    assert changes(database) == [
        (Topic.CAMPAIGN, campaign.id, 1),
        (Topic.TRACKING_NUMBER, number.id, 1),
        (Topic.CAMPAIGN, campaign.id, 2),
        (Topic.TRACKING_NUMBER, number.id, 2),
    ]


def test_what_is_rolled_back_leaves_no_outbox_row(database: Database) -> None:
    with database.session() as session:
        a_number(session, campaign=a_campaign(session))
        assert len(pending(session, 100)) == 2
        session.rollback()
    assert changes(database) == []


def test_a_write_that_changes_nothing_changes_no_revision(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
    forget(database)
    with database.session() as session:
        found = session.get_one(Campaign, campaign.id)
        found.name = str(found.name)
    assert changes(database) == []


def test_a_plan_reaches_the_campaigns_of_all_groups_that_have_it(database: Database) -> None:
    with database.session() as session:
        plan, other = a_plan(session, includes_referral=False), a_plan(session)
        owner = a_user(session).id
        root = a_group(session, plan_id=plan.id)
        heir = a_group(session, parent_id=root.id)
        apart = a_group(session, parent_id=root.id, plan_id=other.id)
        below = a_group(session, parent_id=apart.id)
        ids = [a_campaign(session, group_id=g.id, owner_id=owner).id for g in (root, heir, apart, below)]
    forget(database)
    with database.session() as session:
        loaded = session.get_one(Campaign, ids[0])
        session.get_one(Plan, plan.id).includes_referral = True
        session.flush()
        assert loaded.revision == 2
        loaded.name = "Renamed after"
    assert changes(database) == [
        (Topic.CAMPAIGN, ids[0], 2),
        (Topic.CAMPAIGN, ids[1], 2),
        (Topic.CAMPAIGN, ids[0], 3),
    ]
    with database.reading() as session:
        facts = campaign_facts(session, ids)
    assert [facts[i].referral_included for i in ids] == [True, True, True, True]
    assert [facts[i].revision for i in ids] == [3, 2, 1, 1]


@pytest.mark.parametrize("name", ["renamed", None])
def test_moving_a_group_reaches_its_campaigns_and_renaming_it_does_not(
    database: Database, name: str | None
) -> None:
    with database.session() as session:
        giving = a_group(session, plan_id=a_plan(session).id)
        moved = a_group(session)
        campaign = a_campaign(session, group_id=a_group(session, parent_id=moved.id).id)
    forget(database)
    with database.session() as session:
        group = session.get_one(Group, moved.id)
        if name:
            group.name = name
        else:
            group.parent_id = giving.id
    assert changes(database) == ([] if name else [(Topic.CAMPAIGN, campaign.id, 2)])
    with database.reading() as session:
        assert campaign_facts(session, [campaign.id])[campaign.id].referral_included is (name is None)


def test_a_prompt_reaches_its_campaigns_with_its_content_alone(database: Database) -> None:
    with database.session() as session:
        prompt = a_text_prompt(session)
        recording = a_recorded_prompt(session, b"another")
        campaign = a_campaign(session, prompt_id=prompt.id)
        a_campaign(session)
    forget(database)
    with database.session() as session:
        session.get_one(Prompt, prompt.id).name = "renamed"
    assert changes(database) == []
    with database.session() as session:
        session.get_one(Prompt, prompt.id).text = "Bye"
    with database.session() as session:
        found = session.get_one(Prompt, prompt.id)
        found.kind, found.digest = recording.kind, recording.digest
    assert changes(database) == [(Topic.CAMPAIGN, campaign.id, 2), (Topic.CAMPAIGN, campaign.id, 3)]


def test_an_inherited_change_makes_an_edit_under_way_stale(database: Database) -> None:
    with database.session() as session:
        plan = a_plan(session)
        campaign = a_campaign(session, group_id=a_group(session, plan_id=plan.id).id)
    with database.session() as session:
        session.get_one(Plan, plan.id).includes_referral = False
    campaign.name = "Late"
    with pytest.raises(StaleDataError), database.session() as session:
        session.add(campaign)


def test_a_campaign_that_arrives_while_its_plan_changes_is_reached_all_the_same(
    postgres_database: Database,
) -> None:
    database = postgres_database
    with database.session() as session:
        plan = a_plan(session, includes_referral=False)
        group = a_group(session, plan_id=plan.id)
        owner = a_user(session)

    def change_plan() -> None:
        with database.session() as session:
            session.get_one(Plan, plan.id).includes_referral = True

    with ThreadPoolExecutor(1) as pool:
        with database.session() as session:
            campaign = a_campaign(session, group_id=group.id, owner_id=owner.id)
            changing = pool.submit(change_plan)
            with pytest.raises(TimeoutError):
                changing.result(timeout=0.1)
        changing.result()
    assert changes(database) == [(Topic.CAMPAIGN, campaign.id, 1), (Topic.CAMPAIGN, campaign.id, 2)]


def test_discarded_changes_are_gone_and_their_ids_never_come_back(database: Database) -> None:
    with database.session() as session:
        a_campaign(session)
    with database.reading() as session:
        assert backlog(session)[0] == 1
        seen = [change.id for change in pending(session, 100)]
    forget(database)
    with database.session() as session:
        a_campaign(session)
        discard(session, seen)
    with database.reading() as session:
        count, since = backlog(session)
        assert count == 1
        assert since == pending(session, 1)[0].created_at
    forget(database)
    with database.reading() as session:
        assert backlog(session) == (0, None)


def test_the_oldest_changes_come_first(database: Database) -> None:
    with database.session() as session:
        ids = [a_campaign(session).id for _ in range(3)]
        assert [change.entity_id for change in pending(session, 2)] == ids[:2]


def test_statements_that_would_pass_the_outbox_by_are_refused(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
        for statement in (
            update(Campaign).values(name="x"),
            delete(TrackingNumber),
            insert(Plan).values(name="x", includes_referral=True),
        ):
            with pytest.raises(WriteRefused):
                session.execute(statement)
    with pytest.raises(WriteRefused, match="never deleted"), database.session() as session:
        session.delete(session.get_one(Campaign, campaign.id))

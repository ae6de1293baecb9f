"""Creating, revising, moving and archiving groups."""

from datetime import timedelta
from typing import Any

import pytest

from admin import campaigns, groups
from admin.drafts import spelled
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from admin.lists import groups as lists
from models.group import Group
from routing.numbers import PhoneNumber
from routing.policy import REFERRAL_WINDOW
from tests.admin.office import Office, problems
from tests.builders import NOW

TICK = timedelta(microseconds=1)


def made(office: Office, **said: Any) -> int:
    with office.writing(office.ada) as session:
        return groups.create(session, office.ada, {"name": "New"} | said, NOW).id


def test_a_name_is_all_that_a_group_needs(office: Office) -> None:
    stored = office.stored_group(made(office))
    assert (stored.name, stored.parent_id) == ("New", office.root)
    assert (stored.plan_id, stored.time_zone, stored.default_record_calls) == (None, None, None)


def test_a_group_says_what_it_has_and_whose_it_is(office: Office) -> None:
    with office.writing(office.ada) as session:
        groups.revise(session, office.ada, office.root, {"time_zone": "America/Denver"}, NOW)
        groups.revise(session, office.ada, office.north, {"default_ring_timeout": 20}, NOW)
        groups.revise(session, office.ada, office.branch, {"default_record_calls": True}, NOW)
    with office.reading() as session:
        seen = lists.one(session, office.ada, office.branch, NOW)
    held = seen.in_force
    assert (held.plan.value, held.plan.from_group_id, held.includes_referral) == (
        office.full,
        office.root,
        True,
    )
    assert (held.time_zone.value, held.time_zone.from_group_id) == ("America/Denver", office.root)
    assert (held.default_ring_timeout.value, held.default_ring_timeout.from_group_id) == (20, office.north)
    assert (held.default_record_calls.value, held.default_record_calls.from_group_id) == (True, office.branch)
    assert (held.default_whisper.value, held.default_whisper.from_group_id) == (None, None)
    assert (seen.plan_id, seen.time_zone) == (None, None)


def test_where_a_setting_comes_from_is_not_told_beyond_the_subtree(office: Office) -> None:
    with office.reading() as session:
        held = lists.one(session, office.ned, office.north, NOW).in_force
    assert (held.plan_name, held.plan.from_group_id) == ("Full", None)


def test_a_setting_given_back_is_the_parents_again(office: Office) -> None:
    with office.writing(office.ada) as session:
        groups.revise(session, office.ada, office.south, {"plan_id": None}, NOW)
    with office.reading() as session:
        assert lists.one(session, office.ada, office.south, NOW).in_force.plan.value == office.full


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", " "),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Europe"),
        ("plan_id", 999),
        ("default_ring_timeout", 4),
        ("default_destination", "+19005550100"),
        ("default_whisper", "a" * 501),
        ("phone", "555"),
        ("parent_id", 999),
    ],
)
def test_what_makes_no_sense_is_refused(on_sqlite: Office, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.writing(on_sqlite.ada) as session:
        groups.revise(session, on_sqlite.ada, on_sqlite.north, {field: value}, NOW)
    assert problems(refusal).keys() == {field}


def test_all_details_of_a_group_can_be_changed(office: Office) -> None:
    draft = {"name": "N", "external_id": "n-1", "industry": "Bakery", "city": "Reno", "phone": "+14155550111"}
    with office.writing(office.ned) as session:
        groups.revise(session, office.ned, office.north, draft, NOW)
    stored = office.stored_group(office.north)
    assert (stored.name, stored.external_id, stored.industry, stored.city) == ("N", "n-1", "Bakery", "Reno")
    assert stored.phone == PhoneNumber("+14155550111")


def test_a_group_moves_with_all_below_it(office: Office) -> None:
    with office.writing(office.ada) as session:
        groups.move(session, office.ada, office.branch, {"parent_id": office.south}, NOW)
    with office.reading() as session:
        assert {g.id for g in lists.page(session, office.sam, {}, NOW).items} == {office.south, office.branch}


@pytest.mark.parametrize("target", ["north", "branch"])
def test_a_group_does_not_move_below_itself(office: Office, target: str) -> None:
    with pytest.raises(Invalid, match="below itself"), office.writing(office.ada) as session:
        groups.move(session, office.ada, office.north, {"parent_id": getattr(office, target)}, NOW)


def test_two_moves_at_once_make_no_circle(postgres_office: Office) -> None:
    office = postgres_office
    with office.writing(office.ada) as slow:
        read = [slow.get_one(Group, each) for each in (office.root, office.north, office.south)]
        with office.writing(office.ada) as fast:
            groups.move(fast, office.ada, office.south, {"parent_id": office.branch}, NOW)
        with pytest.raises(Conflict):
            groups.move(slow, office.ada, read[1].id, {"parent_id": office.south}, NOW)
        slow.rollback()


def test_both_ends_of_a_move_lie_in_the_subtree(office: Office) -> None:
    with pytest.raises(Invalid, match="no such group"), office.writing(office.ned) as session:
        groups.move(session, office.ned, office.branch, {"parent_id": office.south}, NOW)
    with pytest.raises(NotThere), office.writing(office.ned) as session:
        groups.move(session, office.ned, office.south, {"parent_id": office.north}, NOW)
    with pytest.raises(NotAllowed), office.writing(office.ned) as session:
        groups.move(session, office.ned, office.north, {"parent_id": office.branch}, NOW)


def test_plans_are_given_by_admins_of_the_whole_account(office: Office) -> None:
    with pytest.raises(NotAllowed), office.writing(office.sam) as session:
        groups.revise(session, office.sam, office.south, {"plan_id": office.full}, NOW)
    with pytest.raises(NotAllowed), office.writing(office.sam) as session:
        groups.create(session, office.sam, {"name": "New", "plan_id": office.full}, NOW)
    assert office.stored_group(made(office, plan_id=office.basic)).plan_id == office.basic


def test_groups_are_for_admins_with_the_scope_for_it(office: Office) -> None:
    for actor in (office.otis, office.reader(office.ada), office.writer(office.ada)):
        with pytest.raises(NotAllowed), office.writing(actor) as session:
            groups.create(session, actor, {"name": "New"}, NOW)
        with pytest.raises(NotAllowed), office.writing(actor) as session:
            groups.archive(session, actor, office.south, {}, NOW)


def test_a_group_with_groups_below_it_is_not_archived(office: Office) -> None:
    with pytest.raises(Conflict, match="Branch"), office.writing(office.ada) as session:
        groups.archive(session, office.ada, office.north, {}, NOW)


@pytest.mark.parametrize("switch", ["on", "off"])
@pytest.mark.parametrize(
    ("ends", "told"), [(None, "Poster"), (TICK - REFERRAL_WINDOW, "Poster"), (-REFERRAL_WINDOW, None)]
)
def test_a_group_is_archived_when_all_its_campaigns_are_over(
    office: Office, ends: timedelta | None, told: str | None, switch: str
) -> None:
    office.campaign(
        office.bert,
        name="Poster",
        starts_at="2025-01-01T00:00:00Z",
        ends_at=None if ends is None else spelled(NOW + ends),
        enabled=switch == "on",
    )
    with office.writing(office.ada) as session:
        if told is None:
            assert groups.archive(session, office.ada, office.branch, {}, NOW).archived_at == NOW
        else:
            with pytest.raises(Conflict, match=told):
                groups.archive(session, office.ada, office.branch, {}, NOW)


def test_an_archived_campaign_keeps_no_group_from_being_archived(office: Office) -> None:
    campaign = office.campaign(office.bert)
    with office.writing(office.ada) as session:
        campaigns.archive(session, office.ada, campaign, {}, NOW)
        assert groups.archive(session, office.ada, office.branch, {}, NOW).archived_at == NOW


def test_nothing_new_comes_into_an_archived_group(office: Office) -> None:
    with office.writing(office.ada) as session:
        groups.archive(session, office.ada, office.branch, {}, NOW)
    for act in (campaigns.create, groups.create):
        field = "group_id" if act is campaigns.create else "parent_id"
        with pytest.raises(Invalid, match="archived"), office.writing(office.ada) as session:
            act(session, office.ada, {"name": "New", field: office.branch}, NOW)


def test_nobody_archives_his_own_group(office: Office) -> None:
    with pytest.raises(Conflict, match="your own"), office.writing(office.sam) as session:
        groups.archive(session, office.sam, office.south, {}, NOW)

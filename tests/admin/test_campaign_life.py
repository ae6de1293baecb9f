"""Whose a campaign is, who manages it, and how it ends: ended, extended, archived, given away."""

from datetime import timedelta
from typing import Any

import pytest

from admin import campaigns
from admin.drafts import spelled
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from models.user import Role, User, UserStatus
from routing.numbers import PhoneNumber
from tests.admin.office import Office, problems
from tests.builders import NOW

TICK = timedelta(microseconds=1)
REFERRAL = {"end_of_campaign": "referral", "business_number": "+14155550123"}


ACTS: list[tuple[Any, dict[str, Any]]] = [
    (campaigns.revise, {"name": "New"}),
    (campaigns.end_now, {}),
    (campaigns.pause, {}),
    (campaigns.resume, {}),
    (campaigns.archive, {}),
]


@pytest.mark.parametrize(("act", "draft"), ACTS)
def test_owners_and_admins_manage_a_campaign_others_do_not(
    office: Office, act: Any, draft: dict[str, Any]
) -> None:
    for stranger, refusal in ((office.bert, NotThere), (office.sam, NotThere), (office.stan, NotThere)):
        made = office.campaign(office.olga)
        with pytest.raises(refusal), office.writing(stranger) as session:
            act(session, stranger, made, draft, NOW)
    for reader in (office.otis, office.reader(office.olga), office.reader(office.ada)):
        made = office.campaign(office.olga)
        with pytest.raises(NotAllowed), office.writing(reader) as session:
            act(session, reader, made, draft, NOW)
    for manager in (office.olga, office.ned, office.ada, office.writer(office.olga)):
        made = office.campaign(office.olga)
        with office.writing(manager) as session:
            assert act(session, manager, made, draft, NOW).id == made


def test_losing_the_ownership_loses_the_right(office: Office) -> None:
    made = office.campaign(office.olga)
    with office.writing(office.ned) as session:
        campaigns.change_owner(session, office.ned, made, {"owner_id": office.ned.user_id}, NOW)
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        campaigns.pause(session, office.olga, made, {}, NOW)


def test_only_admins_change_the_owner(office: Office) -> None:
    made = office.campaign(office.olga)
    draft = {"owner_id": office.ned.user_id}
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        campaigns.change_owner(session, office.olga, made, draft, NOW)
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        campaigns.revise(session, office.olga, made, draft, NOW)
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        campaigns.create(session, office.olga, {"name": "Gift", "owner_id": office.ned.user_id}, NOW)


@pytest.mark.parametrize("name", ["olga", "ned"])
def test_an_active_user_who_sees_the_campaign_can_own_it(office: Office, name: str) -> None:
    made = office.campaign(office.ada, group_id=office.branch)
    owner = getattr(office, name).user_id
    with office.writing(office.ada) as session:
        assert campaigns.change_owner(session, office.ada, made, {"owner_id": owner}, NOW).owner_id == owner


@pytest.mark.parametrize(
    ("name", "told"), [("dora", "disabled"), ("bert", "does not see"), ("stan", "does not see")]
)
def test_nobody_else_can_own_a_campaign(office: Office, name: str, told: str) -> None:
    made = office.campaign(office.ada, group_id=office.north)
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        campaigns.change_owner(session, office.ada, made, {"owner_id": getattr(office, name).user_id}, NOW)
    assert told in problems(refusal)["owner_id"]


def test_a_disabled_owner_stays_until_another_is_named(office: Office) -> None:
    made = office.campaign(office.olga)
    with office.database.session() as session:
        session.get_one(User, office.olga.user_id).status = UserStatus.DISABLED
    with office.writing(office.ned) as session:
        assert campaigns.revise(session, office.ned, made, {"name": "New"}, NOW).name == "New"


def test_a_new_admin_manages_what_he_only_read_before(office: Office) -> None:
    made = office.campaign(office.ned)
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        campaigns.pause(session, office.olga, made, {}, NOW)
    promoted = office.promote(office.olga, Role.ADMIN)
    with office.writing(promoted) as session:
        assert not campaigns.pause(session, promoted, made, {}, NOW).enabled


def test_numbers_stay_with_an_archived_campaign_which_stays_as_it_is(office: Office) -> None:
    made = office.campaign(office.ada)
    number = office.number(office.ada, "+14155550188", made)
    with office.writing(office.ada) as session:
        assert campaigns.archive(session, office.ada, made, {}, NOW).archived_at == NOW
    assert office.stored_number(number).campaign_id == made
    with pytest.raises(Conflict), office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"name": "New"}, NOW)


@pytest.mark.parametrize(
    ("starts", "told"),
    [(-TICK, None), (timedelta(0), "has not begun"), (TICK, "has not begun")],
)
def test_only_a_campaign_that_has_begun_can_be_ended(
    office: Office, starts: timedelta, told: str | None
) -> None:
    made = office.campaign(office.ada, starts_at=spelled(NOW + starts))
    with office.writing(office.ada) as session:
        if told is None:
            assert campaigns.end_now(session, office.ada, made, {}, NOW).ends_at == NOW
        else:
            with pytest.raises(Invalid, match=told):
                campaigns.end_now(session, office.ada, made, {}, NOW)


@pytest.mark.parametrize(
    ("ends", "told"), [(-TICK, "ended already"), (timedelta(0), "ended already"), (TICK, None)]
)
def test_a_campaign_ends_once(office: Office, ends: timedelta, told: str | None) -> None:
    made = office.campaign(office.ada, ends_at=spelled(NOW + ends))
    with office.writing(office.ada) as session:
        if told is None:
            assert campaigns.end_now(session, office.ada, made, {}, NOW).ends_at == NOW
        else:
            with pytest.raises(Invalid, match=told):
                campaigns.end_now(session, office.ada, made, {}, NOW)


@pytest.mark.parametrize(
    ("later", "told"), [(-TICK, "later than the end"), (timedelta(0), "later than the end"), (TICK, None)]
)
def test_extending_moves_the_end_to_later(office: Office, later: timedelta, told: str | None) -> None:
    end = NOW + timedelta(days=1)
    made = office.campaign(office.ada, ends_at=spelled(end))
    with office.writing(office.ada) as session:
        draft = {"ends_at": spelled(end + later)}
        if told is None:
            assert campaigns.extend(session, office.ada, made, draft, NOW).ends_at == end + later
        else:
            with pytest.raises(Invalid, match=told):
                campaigns.extend(session, office.ada, made, draft, NOW)


def test_extending_to_never_takes_the_end_away(office: Office) -> None:
    made = office.campaign(office.ada, ends_at=spelled(NOW + TICK))
    with office.writing(office.ada) as session:
        assert campaigns.extend(session, office.ada, made, {"ends_at": None}, NOW).ends_at is None
        with pytest.raises(Invalid, match="has no end"):
            campaigns.extend(session, office.ada, made, {"ends_at": None}, NOW)


def test_an_ended_campaign_is_extended_into_the_future_only(office: Office) -> None:
    made = office.campaign(office.ada, ends_at=spelled(NOW - timedelta(days=1)))
    with office.writing(office.ada) as session:
        with pytest.raises(Invalid, match="in the future"):
            campaigns.extend(session, office.ada, made, {"ends_at": spelled(NOW)}, NOW)
        later = {"ends_at": spelled(NOW + TICK)}
        assert campaigns.extend(session, office.ada, made, later, NOW).ends_at == NOW + TICK


def test_a_destination_is_read_however_it_is_spaced(on_sqlite: Office) -> None:
    made = on_sqlite.campaign(on_sqlite.ada, destination="+1 (415) 555-0123")
    assert on_sqlite.stored_campaign(made).destination == PhoneNumber("+14155550123")

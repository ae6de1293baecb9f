"""Creating, revising, moving and releasing tracking numbers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from admin import campaigns, groups, number_releases, numbers
from admin.errors import Conflict, Invalid, NotAllowed, NotThere, Stale
from models.database import Database
from models.group import Group
from models.tracking_number import NumberStatus, TrackingNumber
from routing.numbers import PhoneNumber
from routing.route import CallerId
from tests.admin.office import Office, problems
from tests.builders import NOW

NUMBER = "+14155550188"


def held(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(TrackingNumber)).one()


@pytest.mark.parametrize(
    "written", [NUMBER, "+1 (415) 555-0188", "(415) 555-0188", "415.555.0188", "1 415 555 0188"]
)
def test_a_number_is_understood_as_people_of_the_country_write_it(on_sqlite: Office, written: str) -> None:
    made = on_sqlite.number(on_sqlite.bert, written, on_sqlite.campaign(on_sqlite.bert))
    assert on_sqlite.stored_number(made).number == PhoneNumber(NUMBER)


@pytest.mark.parametrize(
    "written", ["", "555-0188", "(115) 555-0188", "020 7946 0018", "+1", "abc", "++14155550188"]
)
def test_what_is_no_number_is_refused(on_sqlite: Office, written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        on_sqlite.number(on_sqlite.ada, written)
    assert problems(refusal).keys() == {"number"}


def test_a_national_form_means_nothing_without_a_country(on_sqlite: Office) -> None:
    with on_sqlite.database.session() as session:
        session.get_one(Group, on_sqlite.root).phone = None
    with pytest.raises(Invalid) as refusal:
        on_sqlite.number(on_sqlite.ada, "(415) 555-0188")
    assert problems(refusal).keys() == {"number"}


def test_the_nearest_phone_names_the_country(on_sqlite: Office) -> None:
    with on_sqlite.writing(on_sqlite.ada) as session:
        groups.revise(session, on_sqlite.ada, on_sqlite.branch, {"phone": "+442079460018"}, NOW)
        session.get_one(Group, on_sqlite.branch).countries = "GB,US"
    made = on_sqlite.number(on_sqlite.bert, "020 7946 0123", on_sqlite.campaign(on_sqlite.bert))
    assert on_sqlite.stored_number(made).number == PhoneNumber("+442079460123")


def test_what_is_not_sent_comes_from_the_nearest_group_that_says_so(office: Office) -> None:
    with office.writing(office.ada) as session:
        above = {
            "default_whisper": "From the leaflet",
            "default_ring_timeout": 20,
            "default_record_calls": True,
        }
        groups.revise(session, office.ada, office.root, above, NOW)
        own = {"default_ring_timeout": 30, "default_caller_id": "tracking_number"}
        groups.revise(session, office.ada, office.north, own, NOW)
    made = office.stored_number(office.number(office.bert, NUMBER, office.campaign(office.bert)))
    assert (made.whisper, made.ring_timeout, made.record_calls) == ("From the leaflet", 30, True)
    assert made.caller_id is CallerId.TRACKING_NUMBER
    assert made.group_id == office.branch


def test_what_is_sent_counts_more_than_the_groups_defaults(office: Office) -> None:
    with office.writing(office.ada) as session:
        above = {"default_whisper": "Hello", "default_record_calls": True}
        groups.revise(session, office.ada, office.root, above, NOW)
    made = office.number(office.ada, NUMBER, whisper=None, record_calls=False)
    stored = office.stored_number(made)
    assert (stored.whisper, stored.record_calls) == (None, False)


def test_a_number_that_is_held_is_a_conflict_wherever_it_is(office: Office) -> None:
    office.number(office.sam, NUMBER)
    with pytest.raises(Conflict) as refusal:
        office.number(office.ned, NUMBER)
    assert refusal.value.field == "number"
    assert NUMBER not in str(refusal.value)


def test_of_two_requests_at_once_one_gets_the_number(office: Office) -> None:
    together = Barrier(2)

    def take(_serial: int) -> bool:
        together.wait()
        try:
            office.number(office.ada, NUMBER)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]


def test_of_two_large_requests_at_once_one_gets_all(postgres_office: Office) -> None:
    office = postgres_office
    together = Barrier(2)
    wanted = [{"number": f"+1415555{serial:04d}"} for serial in range(200)]

    def take(drafts: list[dict[str, str]]) -> bool:
        together.wait()
        try:
            with office.writing(office.ada) as session:
                numbers.create_many(session, office.ada, {"numbers": drafts}, NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, (wanted, wanted[::-1]))) == [False, True]
    assert held(office.database) == 200


def test_a_thousand_numbers_are_created_in_one_request(office: Office) -> None:
    campaign = office.campaign(office.ada)
    wanted = [{"number": f"+1415556{serial:04d}", "campaign_id": campaign} for serial in range(1000)]
    with office.writing(office.ada) as session:
        made = numbers.create_many(session, office.ada, {"numbers": wanted}, NOW)
    assert [each.number.e164 for each in made] == [each["number"] for each in wanted]
    assert held(office.database) == 1000


@pytest.mark.parametrize("wanted", [[], [{}] * 1001, None, "+14155550188"])
def test_neither_none_nor_more_than_a_thousand_are_created(on_sqlite: Office, wanted: object) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.writing(on_sqlite.ada) as session:
        numbers.create_many(session, on_sqlite.ada, {"numbers": wanted}, NOW)
    assert problems(refusal).keys() == {"numbers"}


def test_errors_in_a_large_request_are_told_with_their_positions(office: Office) -> None:
    elsewhere = office.campaign(office.sam)
    wanted: list[Any] = [
        {"number": NUMBER},
        {"number": "nonsense", "ring_timeout": 4},
        {"number": NUMBER},
        {"number": "+14155550189", "campaign_id": elsewhere},
        {"number": "+14155550190", "destination": NUMBER},
        "what",
    ]
    with pytest.raises(Invalid) as refusal, office.writing(office.ned) as session:
        numbers.create_many(session, office.ned, {"numbers": wanted}, NOW)
    assert problems(refusal).keys() == {
        "numbers.1.number",
        "numbers.1.ring_timeout",
        "numbers.2.number",
        "numbers.3.campaign_id",
        "numbers.4.destination",
        "numbers.5",
    }
    assert held(office.database) == 0


def test_one_number_that_is_held_keeps_all_of_a_request_from_being_created(office: Office) -> None:
    office.number(office.sam, NUMBER)
    wanted = [{"number": "+14155550187"}, {"number": NUMBER}, {"number": "+14155550189"}]
    with pytest.raises(Conflict, match="at 1;") as refusal, office.writing(office.ned) as session:
        numbers.create_many(session, office.ned, {"numbers": wanted}, NOW)
    assert refusal.value.field == "numbers.1.number"
    assert held(office.database) == 1


@pytest.mark.parametrize("seconds", [5, 6, 599, 600])
def test_a_business_rings_between_5_and_600_seconds(on_sqlite: Office, seconds: int) -> None:
    assert (
        on_sqlite.stored_number(on_sqlite.number(on_sqlite.ada, NUMBER, ring_timeout=seconds)).ring_timeout
        == seconds
    )


@pytest.mark.parametrize("seconds", [4, 601, 20.5, "20"])
def test_no_shorter_and_no_longer(on_sqlite: Office, seconds: object) -> None:
    with pytest.raises(Invalid) as refusal:
        on_sqlite.number(on_sqlite.ada, NUMBER, ring_timeout=seconds)
    assert problems(refusal).keys() == {"ring_timeout"}


@pytest.mark.parametrize("destination", ["+19005550100", NUMBER])
def test_a_destination_must_be_fit_to_dial(office: Office, destination: str) -> None:
    with pytest.raises(Invalid) as refusal:
        office.number(office.ada, NUMBER, destination=destination)
    assert problems(refusal).keys() == {"destination"}
    made = office.number(office.ada, NUMBER)
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        numbers.revise(session, office.ada, made, {"destination": destination}, NOW)
    assert problems(refusal).keys() == {"destination"}


def test_a_whisper_must_be_speakable(on_sqlite: Office) -> None:
    with pytest.raises(Invalid) as refusal:
        on_sqlite.number(on_sqlite.ada, NUMBER, whisper="a" * 501)
    assert problems(refusal).keys() == {"whisper"}


def test_a_number_moves_with_its_group_to_another_campaign(office: Office) -> None:
    made = office.number(office.ada, NUMBER, office.campaign(office.bert))
    target = office.campaign(office.sam)
    with office.writing(office.ada) as session:
        moved = numbers.move(session, office.ada, made, {"campaign_id": target}, NOW)
        assert (moved.campaign_id, moved.group_id) == (target, office.south)


def test_who_owns_both_campaigns_moves_a_number_between_them(office: Office) -> None:
    one, other, strange = (
        office.campaign(office.olga),
        office.campaign(office.olga),
        office.campaign(office.ned),
    )
    made = office.number(office.olga, NUMBER, one)
    with office.writing(office.olga) as session:
        assert numbers.move(session, office.olga, made, {"campaign_id": other}, NOW).campaign_id == other
    for target in (strange, None):
        with pytest.raises(NotAllowed), office.writing(office.olga) as session:
            numbers.move(session, office.olga, made, {"campaign_id": target}, NOW)


def test_an_admin_takes_a_number_off_its_campaign(office: Office) -> None:
    made = office.number(office.ned, NUMBER, office.campaign(office.bert))
    with office.writing(office.ned) as session:
        off = numbers.move(session, office.ned, made, {"campaign_id": None}, NOW)
        assert (off.campaign_id, off.group_id) == (None, office.branch)


def test_a_number_does_not_go_where_nobody_sees_it_or_nothing_rings(office: Office) -> None:
    made = office.number(office.ned, NUMBER)
    elsewhere, archived = office.campaign(office.sam), office.campaign(office.ned)
    with office.writing(office.ned) as session:
        campaigns.archive(session, office.ned, archived, {}, NOW)
    for target, told in ((elsewhere, "there is no such campaign"), (archived, "archived")):
        with pytest.raises(Invalid, match=told), office.writing(office.ned) as session:
            numbers.move(session, office.ned, made, {"campaign_id": target}, NOW)


def test_a_stale_revision_is_refused(office: Office) -> None:
    made = office.number(office.ada, NUMBER)
    with office.writing(office.ada) as session:
        numbers.revise(session, office.ada, made, {"name": "First", "revision": 1}, NOW)
    with pytest.raises(Stale), office.writing(office.ada) as session:
        numbers.revise(session, office.ada, made, {"name": "Second", "revision": 1}, NOW)


def test_a_released_number_stays_and_can_be_held_anew(office: Office) -> None:
    made = office.number(office.ada, NUMBER)
    with office.writing(office.ada) as session:
        number_releases.release_one(session, office.ada, made, {}, NOW)
    released = office.stored_number(made)
    assert (released.status, released.released_at) == (NumberStatus.RELEASED, NOW)
    with pytest.raises(Conflict), office.writing(office.ada) as session:
        number_releases.release_one(session, office.ada, made, {}, NOW)
    again = office.stored_number(office.number(office.ada, NUMBER))
    assert again.revision > released.revision


def test_who_manages_the_campaign_manages_its_numbers(office: Office) -> None:
    campaign = office.campaign(office.olga)
    made = office.number(office.olga, NUMBER, campaign)
    for act in (numbers.revise, number_releases.release_one):
        for stranger, refusal in ((office.sam, NotThere), (office.bert, NotThere), (office.otis, NotAllowed)):
            with pytest.raises(refusal), office.writing(stranger) as session:
                act(session, stranger, made, {}, NOW)
    with pytest.raises(NotAllowed):
        office.number(office.otis, "+14155550189", campaign)
    with office.writing(office.olga) as session:
        number_releases.release_one(session, office.olga, made, {"even_in_use": True}, NOW)


def test_numbers_without_a_campaign_are_for_admins(office: Office) -> None:
    with pytest.raises(NotAllowed):
        office.number(office.olga, NUMBER)
    made = office.number(office.ned, NUMBER)
    assert office.stored_number(made).group_id == office.north
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        numbers.revise(session, office.olga, made, {"name": "New"}, NOW)


def test_a_number_that_is_created_while_its_campaign_moves_follows_it(postgres_office: Office) -> None:
    office = postgres_office
    campaign = office.campaign(office.ned)
    with ThreadPoolExecutor(1) as pool:
        with office.writing(office.ned) as session:
            campaigns.revise(session, office.ned, campaign, {"group_id": office.branch}, NOW)
            creating = pool.submit(office.number, office.ned, NUMBER, campaign)
            with pytest.raises(TimeoutError):
                creating.result(timeout=0.2)
        made = creating.result(timeout=10)
    assert office.stored_number(made).group_id == office.branch

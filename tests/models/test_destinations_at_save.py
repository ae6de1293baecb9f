"""A destination that must not be dialled never gets into the database by our own hand."""

import pytest
from sqlalchemy import select, text

from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.routes import route_of
from models.tracking_number import TrackingNumber
from routing.decision import Apologise, Connect, Reason
from routing.destinations import UnfitDestination, UnknownCountry
from routing.numbers import PhoneNumber
from routing.policy import decide
from tests.builders import BUSINESS, NOW, TRACKING, a_campaign, a_group, a_number

OWN = PhoneNumber("+14155550100")
GERMAN = PhoneNumber("+493012345678")
PREMIUM = PhoneNumber("+19005550100")


def test_a_campaign_with_a_premium_destination_is_refused(database: Database) -> None:
    with pytest.raises(UnfitDestination), database.session() as session:
        a_campaign(session, destination=PREMIUM)


def test_a_number_with_a_premium_destination_is_refused(database: Database) -> None:
    with pytest.raises(UnfitDestination), database.session() as session:
        a_number(session, destination=PREMIUM)


def test_a_destination_that_is_a_tracking_number_is_refused(database: Database) -> None:
    with database.session() as session:
        a_number(session, OWN, a_campaign(session))
    with pytest.raises(UnfitDestination, match="tracking number"), database.session() as session:
        a_campaign(session, destination=OWN)


def test_a_number_that_would_ring_itself_is_refused(database: Database) -> None:
    with pytest.raises(UnfitDestination), database.session() as session:
        a_number(session, OWN, a_campaign(session), destination=OWN)


def test_a_released_number_is_a_destination_like_any_other(database: Database) -> None:
    with database.session() as session:
        a_number(session, OWN).release(NOW)
    with database.session() as session:
        assert a_campaign(session, destination=OWN).id


def test_a_costly_destination_that_got_in_another_way_is_not_dialled(database: Database) -> None:
    with database.session() as session:
        a_number(session, TRACKING, a_campaign(session, destination=BUSINESS))
        session.connection().execute(text("UPDATE campaigns SET destination = :to"), {"to": PREMIUM.e164})
    with database.reading() as session:
        assert decide(route_of(session, TRACKING), NOW) == Apologise(Reason.UNFIT_DESTINATION)


@pytest.mark.parametrize("table", ["campaigns", "tracking_numbers"])
def test_a_tracking_number_that_became_a_destination_another_way_is_not_dialled(
    database: Database, table: str
) -> None:
    with database.session() as session:
        a_number(session, OWN)
        a_number(session, TRACKING, a_campaign(session, destination=BUSINESS), destination=BUSINESS)
        changed = text(f"UPDATE {table} SET destination = :to WHERE destination IS NOT NULL")  # noqa: S608
        session.connection().execute(changed, {"to": OWN.e164})
        if table == "campaigns":
            session.connection().execute(text("UPDATE tracking_numbers SET destination = NULL"))
    with database.reading() as session:
        assert decide(route_of(session, TRACKING), NOW) == Apologise(Reason.UNFIT_DESTINATION)
    with database.session() as session:
        held = select(TrackingNumber).where(TrackingNumber.number == OWN)
        session.scalars(held).one().release(NOW)
    with database.reading() as session:
        assert isinstance(decide(route_of(session, TRACKING), NOW), Connect)


@pytest.mark.parametrize("countries", [None, "US"])
def test_a_destination_abroad_is_refused_whichever_row_comes_last(
    database: Database, countries: str | None
) -> None:
    with database.session() as session:
        group = a_group(session, countries=countries)
        abroad = a_campaign(session, group_id=group.id, destination=None)
        at_home = a_campaign(session, group_id=group.id)
        held = a_number(session, TRACKING, abroad)
        at_home_too = a_number(session, OWN, at_home)
    with pytest.raises(UnfitDestination, match="countr"), database.session() as session:
        session.get_one(Campaign, abroad.id).destination = GERMAN
    with pytest.raises(UnfitDestination, match="countr"), database.session() as session:
        session.get_one(TrackingNumber, held.id).destination = GERMAN
    with pytest.raises(UnfitDestination, match="countr"), database.session() as session:
        a_number(session, campaign=session.get_one(Campaign, at_home.id), destination=GERMAN)
    with database.session() as session:
        session.get_one(TrackingNumber, at_home_too.id).destination = BUSINESS


def test_a_number_that_joins_a_campaign_which_rings_abroad_is_refused(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session, destination=GERMAN)
        a_number(session, PhoneNumber("+493012345699"), campaign)
    with pytest.raises(UnfitDestination, match="another country"), database.session() as session:
        a_number(session, TRACKING, session.get_one(Campaign, campaign.id))


def test_a_campaign_that_moves_to_a_group_which_allows_less_is_refused(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session, group_id=a_group(session, countries="DE,US").id, destination=GERMAN)
        strict = a_group(session, parent_id=a_group(session, countries="US").id)
    with pytest.raises(UnfitDestination, match="does not allow"), database.session() as session:
        session.get_one(Campaign, campaign.id).group_id = strict.id


def test_a_country_that_an_ancestor_allows_by_name_is_taken(database: Database) -> None:
    with database.session() as session:
        root = a_group(session, countries="de")
        campaign = a_campaign(session, group_id=a_group(session, parent_id=root.id).id, destination=GERMAN)
        a_number(session, TRACKING, campaign)
    with database.reading() as session:
        assert isinstance(decide(route_of(session, TRACKING), NOW), Connect)


def test_a_group_that_allows_less_than_it_did_lets_no_call_through(database: Database) -> None:
    with database.session() as session:
        group = a_group(session, countries="DE,US")
        a_number(session, TRACKING, a_campaign(session, group_id=group.id, destination=GERMAN))
    with database.session() as session:
        session.get_one(Group, group.id).countries = "US"
    with database.reading() as session:
        assert decide(route_of(session, TRACKING), NOW) == Apologise(Reason.UNFIT_DESTINATION)


def test_a_list_of_what_is_no_country_is_refused(database: Database) -> None:
    with pytest.raises(UnknownCountry), database.session() as session:
        a_group(session, countries="US,Europe")


@pytest.mark.parametrize("of_a_number", [True, False])
def test_a_number_that_is_a_destination_is_not_held(database: Database, of_a_number: bool) -> None:  # noqa: FBT001
    with database.session() as session:
        campaign = a_campaign(session, destination=None if of_a_number else OWN)
        ringing = a_number(session, TRACKING, campaign, destination=OWN if of_a_number else None)
    with pytest.raises(UnfitDestination, match="is the destination"), database.session() as session:
        a_number(session, OWN)
    with database.session() as session:
        session.get_one(Campaign, campaign.id).destination = BUSINESS
        session.get_one(TrackingNumber, ringing.id).destination = None
    with database.session() as session:
        assert a_number(session, OWN).id

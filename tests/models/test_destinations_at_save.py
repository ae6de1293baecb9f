"""A destination that must not be dialled never gets into the database by our own hand."""

import pytest
from sqlalchemy import text

from models.database import Database
from models.routes import route_of
from routing.decision import Apologise, Reason
from routing.destinations import UnfitDestination
from routing.numbers import PhoneNumber
from routing.policy import decide
from tests.builders import BUSINESS, NOW, TRACKING, a_campaign, a_number

OWN = PhoneNumber("+14155550100")
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

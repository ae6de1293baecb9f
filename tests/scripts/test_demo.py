"""The demo: every state is there, stays for weeks, and nothing real is ever overwritten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from admin.access.identity import Due
from admin.access.passwords import Passwords
from admin.access.visitor import Visitor
from admin.desk import Desk
from admin.signing_in import SigningIn
from models.database import Database
from models.group import Group
from models.routes import route_of
from models.tracking_number import TrackingNumber
from routing.decision import Connect, Decision, Reason, Refer
from routing.numbers import PhoneNumber
from routing.policy import decide
from scripts import demo
from tests.builders import a_user

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REASONS = {
    "+15005550100": Reason.LIVE,
    "+15005550101": Reason.LIVE,
    "+15005550102": Reason.LIVE,
    "+15005550103": Reason.REFERRAL,
    "+15005550104": Reason.REFERRAL,
    "+15005550105": Reason.REFERRAL,
    "+15005550106": Reason.REFERRAL,
    "+15005550107": Reason.ENDED,
    "+15005550108": Reason.ENDED,
    "+15005550109": Reason.SCHEDULED,
    "+15005550110": Reason.PAUSED,
    "+15005550111": Reason.ARCHIVED,
    "+15005550112": Reason.RELEASED,
    "+15005550113": Reason.UNASSIGNED,
}


def decided(database: Database, number: str, at: datetime) -> Decision:
    with database.reading() as session:
        return decide(route_of(session, PhoneNumber(number)), at)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=27)])
def test_every_state_is_there_and_stays_for_weeks(database: Database, age: timedelta) -> None:
    assert demo.load(database, NOW)
    assert {number: decided(database, number, NOW + age).reason for number in REASONS} == REASONS


def test_one_number_has_a_destination_of_its_own(database: Database) -> None:
    demo.load(database, NOW)
    shared, own = (decided(database, number, NOW) for number in ("+15005550100", "+15005550101"))
    assert isinstance(shared, Connect)
    assert isinstance(own, Connect)
    assert shared.destination != own.destination


def test_referrals_speak_four_languages(database: Database) -> None:
    demo.load(database, NOW)
    spoken = [decided(database, f"+1500555010{last}", NOW) for last in (3, 4, 5, 6)]
    assert [refer.prompt.language for refer in spoken if isinstance(refer, Refer)] == ["en", "es", "fr", "de"]


def test_it_is_loaded_once(database: Database) -> None:
    assert demo.load(database, NOW)
    assert not demo.load(database, NOW + timedelta(days=1))
    with database.reading() as session:
        assert session.scalar(select(func.count(TrackingNumber.id))) == len(REASONS)


def test_it_is_not_loaded_beside_real_data(database: Database) -> None:
    with database.session() as session:
        session.add(Group(name="A real customer"))
    assert not demo.load(database, NOW)
    assert not demo.is_loaded(database)


def test_a_number_of_every_state_is_offered_for_a_try() -> None:
    assert {REASONS[sample.number.e164] for sample in demo.SAMPLES} == set(REASONS.values())


def test_the_admin_of_the_demo_comes_in_once_to_choose_a_password(database: Database) -> None:
    demo.load(database, NOW)
    password = demo.open_to_admin(database)
    assert password is not None
    desk = Desk(database, lambda: NOW, lambda: None)
    opened = SigningIn(desk, Passwords(), "k" * 32).sign_in(
        {"email": demo.ADMIN, "password": password}, Visitor("127.0.0.1"), NOW
    )
    assert opened.due is Due.NEW_PASSWORD


def test_a_password_is_given_once(database: Database) -> None:
    demo.load(database, NOW)
    assert demo.open_to_admin(database) is not None
    assert demo.open_to_admin(database) is None


def test_nobody_is_given_a_password_beside_real_data(database: Database) -> None:
    with database.session() as session:
        a_user(session, email=demo.ADMIN)
    assert demo.open_to_admin(database) is None

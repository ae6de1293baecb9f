"""Signing in: who knows the password gets in, whoever guesses is slowed, nobody is locked out for good."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from admin.access import identity as identities
from admin.access.identity import ABSOLUTE_LIMIT, IDLE_LIMIT, Due
from admin.access.passwords import Passwords
from admin.access.visitor import Visitor
from admin.errors import Invalid, NotSignedIn
from admin.signing_in import SigningIn
from models.session import UserSession
from models.user import User, UserStatus
from tests.admin.entering import whose
from tests.admin.people import HOME, KEY, PASSWORD, Premises


def test_the_password_opens_a_session(premises: Premises) -> None:
    user = premises.a_user()
    opened = premises.sign_in(user)
    found = whose(premises, opened.cookie)
    assert found is not None
    assert (found.actor.user_id, found.due, opened.due) == (user.id, None, None)


def test_the_address_may_be_typed_in_any_case(on_sqlite: Premises) -> None:
    on_sqlite.a_user(email="ada@example.com")
    assert on_sqlite.sign_in(" ADA@Example.com ").due is None


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ({}, "not the password"),
        ({"password_hash": None}, ""),
        ({"status": UserStatus.DISABLED}, PASSWORD),
    ],
)
def test_nobody_else_gets_in(on_sqlite: Premises, said: dict[str, object], typed: str) -> None:
    user = on_sqlite.a_user(**said)
    with pytest.raises(NotSignedIn):
        on_sqlite.sign_in(user, typed)


def test_an_unknown_account_is_refused_in_the_same_words(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    words = []
    for email in (user.email, "nobody@example.com"):
        with pytest.raises(NotSignedIn) as refused:
            on_sqlite.sign_in(email, "not the password")
        words.append(str(refused.value))
    assert words[0] == words[1]


@pytest.mark.parametrize("raw", [{}, {"email": "a@example.com"}, {"email": "a\0b", "password": "x"}, []])
def test_what_is_no_sign_in_is_told_as_such(on_sqlite: Premises, raw: object) -> None:
    with pytest.raises(Invalid):
        on_sqlite.door.sign_in(raw, HOME, on_sqlite.clock())


def test_the_database_keeps_no_cookie(on_sqlite: Premises) -> None:
    opened = on_sqlite.sign_in(on_sqlite.a_user())
    with on_sqlite.database.reading() as session:
        [kept] = session.scalars(select(UserSession))
    assert opened.cookie not in {str(value) for value in vars(kept).values()}


def test_signing_in_ends_the_session_that_the_browser_came_with(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    before = on_sqlite.sign_in(user)
    after = on_sqlite.sign_in(user, visitor=Visitor(HOME.address, cookie=before.cookie))
    assert after.cookie != before.cookie
    assert whose(on_sqlite, before.cookie) is None


def test_signing_out_ends_the_session_at_once(premises: Premises) -> None:
    opened = premises.sign_in(premises.a_user())
    signed_in = whose(premises, opened.cookie)
    assert signed_in is not None
    premises.door.sign_out(signed_in)
    assert whose(premises, opened.cookie) is None


@pytest.mark.parametrize(
    ("later", "lasts"),
    [
        (IDLE_LIMIT - timedelta(seconds=1), True),
        (IDLE_LIMIT, False),
        (IDLE_LIMIT + timedelta(seconds=1), False),
    ],
)
def test_a_session_ends_when_nothing_is_asked(on_sqlite: Premises, *, later: timedelta, lasts: bool) -> None:
    opened = on_sqlite.sign_in(on_sqlite.a_user())
    on_sqlite.clock.now += later
    assert (whose(on_sqlite, opened.cookie) is not None) is lasts


@pytest.mark.parametrize(
    ("later", "lasts"),
    [
        (ABSOLUTE_LIMIT - timedelta(seconds=1), True),
        (ABSOLUTE_LIMIT, False),
        (ABSOLUTE_LIMIT + timedelta(seconds=1), False),
    ],
)
def test_a_session_ends_after_a_week_however_busy(
    on_sqlite: Premises, *, later: timedelta, lasts: bool
) -> None:
    opened = on_sqlite.sign_in(on_sqlite.a_user())
    on_sqlite.clock.now += later
    with on_sqlite.database.session() as session:
        for kept in session.scalars(select(UserSession)):
            kept.seen_at = on_sqlite.clock.now
    assert (whose(on_sqlite, opened.cookie) is not None) is lasts


def test_a_use_is_written_down_once_a_minute(premises: Premises) -> None:
    opened = premises.sign_in(premises.a_user())
    worth = []
    for seconds in (59, 1, 59, 1):
        now = premises.clock.goes_on(seconds=seconds)
        found = whose(premises, opened.cookie)
        assert found is not None
        worth.append(found.is_worth_noting)
        if found.is_worth_noting:
            with premises.database.session() as session:
                identities.note_use(session, found, now)
    assert worth == [False, True, False, True]


def test_a_one_time_password_is_not_enough(on_sqlite: Premises) -> None:
    opened = on_sqlite.sign_in(on_sqlite.a_user(password_changed_at=None))
    found = whose(on_sqlite, opened.cookie)
    assert found is not None
    assert (opened.due, found.due, opened.browser) == (Due.NEW_PASSWORD, Due.NEW_PASSWORD, None)


def test_a_hash_with_older_parameters_is_made_anew(premises: Premises) -> None:
    user = premises.a_user()
    newer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    SigningIn(premises.desk, newer, KEY).sign_in(
        {"email": user.email, "password": PASSWORD}, HOME, premises.clock()
    )
    with premises.database.reading() as session:
        kept = session.get_one(User, user.id).password_hash
    assert kept is not None
    assert not newer.is_outdated(kept)
    assert newer.is_right(kept, PASSWORD)
    assert ("password_hash", "changed") not in premises.trail_of(user)

"""The second factor: half a session until the code comes, each code once, recovery codes in need."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from admin.access import second_factor
from admin.access.identity import HALF_LIMIT, Due
from admin.access.visitor import Visitor
from admin.errors import NotSignedIn, TryLater
from models.database import Database
from models.user import User
from tests.admin.entering import GUESSER, code_at, give, half_signed_in, is_let_in, whose, with_app
from tests.admin.people import HOME, Premises


def test_with_a_second_factor_the_password_is_only_half(premises: Premises) -> None:
    user = premises.a_user()
    app = with_app(premises, user)
    half = half_signed_in(premises, user)
    assert half.due is Due.SECOND_FACTOR
    opened = give(premises, half, code_at(premises, app))
    whole = whose(premises, opened.cookie)
    assert whole is not None
    assert whole.due is None


def test_the_session_has_another_cookie_after_the_second_factor(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    app = with_app(on_sqlite, user)
    first = on_sqlite.sign_in(user)
    half = whose(on_sqlite, first.cookie)
    assert half is not None
    assert give(on_sqlite, half, code_at(on_sqlite, app)).cookie != first.cookie
    assert whose(on_sqlite, first.cookie) is None


@pytest.mark.parametrize(
    ("later", "lasts"),
    [
        (HALF_LIMIT - timedelta(seconds=1), True),
        (HALF_LIMIT, False),
        (HALF_LIMIT + timedelta(seconds=1), False),
    ],
)
def test_the_second_factor_has_to_follow_soon(on_sqlite: Premises, *, later: timedelta, lasts: bool) -> None:
    user = on_sqlite.a_user()
    with_app(on_sqlite, user)
    opened = on_sqlite.sign_in(user)
    on_sqlite.clock.now += later
    assert (whose(on_sqlite, opened.cookie) is not None) is lasts


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_a_step_early_or_late(on_sqlite: Premises, *, steps: int, is_taken: bool) -> None:
    user = on_sqlite.a_user()
    app = with_app(on_sqlite, user)
    half = half_signed_in(on_sqlite, user)
    code = app.at(on_sqlite.clock() + timedelta(seconds=30 * steps))
    assert is_let_in(lambda: give(on_sqlite, half, code)) is is_taken


def test_a_code_works_once(premises: Premises) -> None:
    user = premises.a_user()
    app = with_app(premises, user)
    code = code_at(premises, app)
    give(premises, half_signed_in(premises, user), code)
    with pytest.raises(NotSignedIn):
        give(premises, half_signed_in(premises, user), code)


def test_a_code_that_two_give_at_once_works_for_one(postgres_database: Database) -> None:
    premises = Premises(postgres_database)
    user = premises.a_user()
    code = code_at(premises, with_app(premises, user))
    halves = [half_signed_in(premises, user) for _ in range(2)]
    with ThreadPoolExecutor(2) as both:
        let_in = list(both.map(lambda half: is_let_in(lambda: give(premises, half, code)), halves))
    assert sorted(let_in) == [False, True]


def test_a_code_before_the_last_one_is_refused(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    app = with_app(on_sqlite, user)
    give(on_sqlite, half_signed_in(on_sqlite, user), app.at(on_sqlite.clock() + timedelta(seconds=30)))
    with pytest.raises(NotSignedIn):
        give(on_sqlite, half_signed_in(on_sqlite, user), code_at(on_sqlite, app))


@pytest.mark.parametrize(
    "spelled", [str.upper, lambda code: code.replace("-", " "), lambda code: f" {code} "]
)
def test_a_recovery_code_works_once_however_it_is_spelled(
    on_sqlite: Premises, spelled: Callable[[str], str]
) -> None:
    user = on_sqlite.a_user()
    with_app(on_sqlite, user)
    with on_sqlite.database.session() as session:
        codes = second_factor.confirm(session, session.get_one(User, user.id), on_sqlite.clock())
    assert len(set(codes)) == 10
    assert give(on_sqlite, half_signed_in(on_sqlite, user), spelled(codes[3])).due is None
    with pytest.raises(NotSignedIn):
        give(on_sqlite, half_signed_in(on_sqlite, user), codes[3])


def test_guessing_codes_is_slowed(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    with_app(on_sqlite, user)
    half = half_signed_in(on_sqlite, user)
    refusals = []
    for _ in range(7):
        try:
            give(on_sqlite, half, "000000x")
        except (NotSignedIn, TryLater) as refusal:
            refusals.append(type(refusal))
    assert refusals == [NotSignedIn] * 5 + [TryLater] * 2


def test_who_knows_only_the_password_does_not_keep_the_user_waiting(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    known = Visitor(HOME.address, browser=on_sqlite.sign_in(user).browser)
    app = with_app(on_sqlite, user)
    thief = half_signed_in(on_sqlite, user)
    for _ in range(10):
        assert not is_let_in(lambda: give(on_sqlite, thief, "000000x", GUESSER))
    assert give(on_sqlite, half_signed_in(on_sqlite, user), code_at(on_sqlite, app), known).due is None


def test_a_whole_session_has_no_second_factor_to_give(on_sqlite: Premises) -> None:
    found = whose(on_sqlite, on_sqlite.sign_in(on_sqlite.a_user()).cookie)
    assert found is not None
    with pytest.raises(NotSignedIn):
        give(on_sqlite, found, "123456")

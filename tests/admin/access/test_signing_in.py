"""Signing in: who knows the password gets in, whoever guesses is slowed, nobody is locked out for good."""

from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from structlog.testing import capture_logs

from admin.access import identity as identities
from admin.access import second_factor
from admin.access.identity import ABSOLUTE_LIMIT, HALF_LIMIT, IDLE_LIMIT, Due, Identity
from admin.access.passwords import Passwords
from admin.access.visitor import Visitor
from admin.errors import Invalid, NotSignedIn, TryLater
from admin.signing_in import Opened, SigningIn
from models.session import UserSession
from models.user import User, UserStatus
from tests.admin.people import HOME, KEY, PASSWORD, Premises

GUESSER = Visitor("203.0.113.66", "curl")


def whose(premises: Premises, cookie: str) -> Identity | None:
    with premises.database.reading() as session:
        return identities.of_cookie(session, cookie, premises.clock())


def with_app(premises: Premises, user: User) -> pyotp.TOTP:
    """Give the user a second factor; returns his app."""
    with premises.database.session() as session:
        user = session.get_one(User, user.id)
        secret, _ = second_factor.enrol(user)
        second_factor.confirm(session, user, premises.clock())
    return pyotp.TOTP(secret)


def code_at(premises: Premises, app: pyotp.TOTP) -> str:
    return app.at(premises.clock())


def guess(premises: Premises, user: User | str, times: int, visitor: Visitor = GUESSER) -> list[str]:
    """Guess wrongly; returns what became of each."""
    outcomes = []
    for _ in range(times):
        try:
            premises.sign_in(user, "not the password", visitor)
        except (NotSignedIn, TryLater) as refusal:
            outcomes.append(type(refusal).__name__)
    return outcomes


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


# The second factor


def half_signed_in(premises: Premises, user: User) -> Identity:
    found = whose(premises, premises.sign_in(user).cookie)
    assert found is not None
    return found


def give(premises: Premises, identity: Identity, code: str, visitor: Visitor = HOME) -> Opened:
    return premises.door.give_second_factor(identity, {"code": code}, visitor, premises.clock())


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


# Guessing passwords


def test_guesses_from_one_address_are_slowed(premises: Premises) -> None:
    user = premises.a_user()
    assert guess(premises, user, 7) == ["NotSignedIn"] * 5 + ["TryLater"] * 2


def test_guesses_from_many_addresses_are_slowed(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    outcomes = [guess(on_sqlite, user, 1, Visitor(f"203.0.113.{i}"))[0] for i in range(7)]
    assert outcomes == ["NotSignedIn"] * 5 + ["TryLater"] * 2


def test_guesses_at_many_accounts_from_one_address_are_slowed(on_sqlite: Premises) -> None:
    outcomes = [guess(on_sqlite, f"user{i}@example.net", 1)[0] for i in range(22)]
    assert outcomes == ["NotSignedIn"] * 20 + ["TryLater"] * 2


def test_behind_a_proxy_that_nobody_named_not_everybody_waits_for_everybody(on_sqlite: Premises) -> None:
    behind = Visitor("127.0.0.1")
    for i in range(30):
        guess(on_sqlite, f"user{i}@example.net", 1, behind)
    assert on_sqlite.sign_in(on_sqlite.a_user(), visitor=behind).due is None


def test_guesses_at_unknown_accounts_are_slowed_alike(on_sqlite: Premises) -> None:
    assert guess(on_sqlite, "nobody@example.com", 6) == ["NotSignedIn"] * 5 + ["TryLater"]


def test_an_account_under_attack_waits_a_minute_at_most(premises: Premises) -> None:
    user = premises.a_user()
    for i in range(40):
        guess(premises, user, 1, Visitor(f"203.0.113.{i}"))
        premises.clock.goes_on(minutes=1)
    assert premises.sign_in(user).due is None


def test_a_browser_that_is_known_does_not_wait_at_all(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    known = on_sqlite.sign_in(user).browser
    at_home = Visitor(GUESSER.address, browser=known)
    guess(on_sqlite, user, 10)
    assert on_sqlite.sign_in(user, visitor=at_home).due is None


def test_a_stolen_browser_mark_gives_five_guesses_more(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    stolen = Visitor(GUESSER.address, browser=on_sqlite.sign_in(user).browser)
    assert guess(on_sqlite, user, 7, stolen) == ["NotSignedIn"] * 5 + ["TryLater"] * 2


def test_a_browser_is_known_for_its_own_user_only(on_sqlite: Premises) -> None:
    known = on_sqlite.sign_in(on_sqlite.a_user()).browser
    victim = on_sqlite.a_user()
    guess(on_sqlite, victim, 5)
    with pytest.raises(TryLater):
        on_sqlite.sign_in(victim, visitor=Visitor(GUESSER.address, browser=known))


def test_a_success_in_between_does_not_free_the_address(on_sqlite: Premises) -> None:
    own = on_sqlite.a_user()
    outcomes = []
    for i in range(21):
        outcomes += guess(on_sqlite, f"user{i}@example.net", 1)
        if i == 10:
            on_sqlite.sign_in(own, visitor=GUESSER)
    assert outcomes[-1] == "TryLater"


# What it leaves behind


def test_the_audit_trail_tells_of_sign_ins_and_of_streaks_of_failures(premises: Premises) -> None:
    user = premises.a_user()
    guess(premises, user, 6)
    premises.clock.goes_on(minutes=1)
    premises.sign_in(user)
    assert premises.trail_of(user) == [("failed_sign_ins", "5"), ("signed_in", HOME.address)]


def test_the_audit_trail_tells_of_the_second_factor(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    app = with_app(on_sqlite, user)
    give(on_sqlite, half_signed_in(on_sqlite, user), code_at(on_sqlite, app))
    assert on_sqlite.trail_of(user)[-2:] == [("second_factor_given", "app"), ("signed_in", HOME.address)]


def test_neither_log_nor_trail_holds_a_secret(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    with capture_logs() as logged:
        guess(on_sqlite, user, 6)
        guess(on_sqlite, "typed-my-password-here", 1)
        on_sqlite.clock.goes_on(minutes=1)
        opened = on_sqlite.sign_in(user)
        app = with_app(on_sqlite, user)
        half = half_signed_in(on_sqlite, user)
        code = code_at(on_sqlite, app)
        give(on_sqlite, half, code)
    told = repr(logged) + repr(on_sqlite.trail_of(user))
    events = [line["event"] for line in logged]
    assert "sign_in.failed" in events
    assert "sign_in.succeeded" in events
    for secret in (PASSWORD, "not the password", "typed-my", opened.cookie, opened.browser, code, app.secret):
        assert str(secret) not in told


def is_let_in(try_it: Callable[[], object]) -> bool:
    try:
        try_it()
    except (NotSignedIn, TryLater):
        return False
    return True

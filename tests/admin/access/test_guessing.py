"""Whoever guesses is slowed, nobody is locked out for good, and it is written down without secrets."""

import pytest
from structlog.testing import capture_logs

from admin.access.visitor import Visitor
from admin.errors import TryLater
from tests.admin.entering import GUESSER, code_at, give, guess, half_signed_in, with_app
from tests.admin.people import HOME, PASSWORD, Premises


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

"""The throttle: slower with each failure, shorter than a lock-out, and counted before it is known."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from admin.access.throttle import ACCOUNT, ADDRESS, FORGOTTEN_AFTER, PROOF, Pace, count_attempt, take_back
from admin.errors import TryLater
from models.database import Database
from models.sign_in import SignInFailures, forget_failures
from tests.admin.people import Premises


def attempt(premises: Premises, paces: Mapping[str, Pace]) -> bool:
    """Try once; whether it was let through."""
    try:
        with premises.database.session() as session:
            count_attempt(session, paces, premises.clock())
    except TryLater:
        return False
    return True


@pytest.mark.parametrize(
    ("failures", "seconds"), [(4, 0), (5, 1), (6, 2), (10, 32), (11, 60), (12, 60), (10**6, 60)]
)
def test_an_account_waits_twice_as_long_each_time_and_a_minute_at_most(failures: int, seconds: int) -> None:
    assert ACCOUNT.wait(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("failures", "seconds"), [(19, 0), (20, 1), (29, 512), (30, 900), (31, 900)])
def test_an_address_waits_a_quarter_of_an_hour_at_most(failures: int, seconds: int) -> None:
    assert ADDRESS.wait(failures) == timedelta(seconds=seconds)


def test_five_failures_are_free_and_the_sixth_attempt_waits(premises: Premises) -> None:
    assert [attempt(premises, {"a": ACCOUNT}) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(("waited", "is_let_in"), [(0.999, False), (1, True), (1.001, True)])
def test_the_wait_ends_on_time(on_sqlite: Premises, *, waited: float, is_let_in: bool) -> None:
    for _ in range(5):
        attempt(on_sqlite, {"a": ACCOUNT})
    on_sqlite.clock.goes_on(seconds=waited)
    assert attempt(on_sqlite, {"a": ACCOUNT}) is is_let_in


def test_who_is_told_to_wait_is_told_how_long_and_is_not_counted(on_sqlite: Premises) -> None:
    for _ in range(5):
        attempt(on_sqlite, {"a": ACCOUNT})
    for _ in range(3):
        with pytest.raises(TryLater) as told, on_sqlite.database.session() as session:
            count_attempt(session, {"a": ACCOUNT}, on_sqlite.clock())
        assert told.value.seconds == 1


def test_what_one_subject_waits_for_is_not_counted_for_the_other(on_sqlite: Premises) -> None:
    for _ in range(5):
        attempt(on_sqlite, {"a": ACCOUNT})
    assert not attempt(on_sqlite, {"a": ACCOUNT, "b": ADDRESS})
    with on_sqlite.database.reading() as session:
        assert session.get(SignInFailures, "b") is None


def test_a_success_gives_an_account_all_and_an_address_one_back(premises: Premises) -> None:
    paces = {"account": ACCOUNT, "address": ADDRESS}
    for _ in range(3):
        attempt(premises, paces)
    with premises.database.session() as session:
        take_back(session, paces, premises.clock())
    with premises.database.reading() as session:
        left = {row.subject: row.failures for row in session.query(SignInFailures)}
    assert left == {"account": 0, "address": 2}


@pytest.mark.parametrize(
    ("pause", "more"),
    [
        (timedelta(minutes=30) - timedelta(seconds=1), 1),
        (timedelta(minutes=30), 2),
        (timedelta(minutes=45), 3),
        (FORGOTTEN_AFTER, 5),
    ],
)
def test_a_quarter_of_an_hour_forgives_one_failure_and_a_day_all(
    on_sqlite: Premises, pause: timedelta, more: int
) -> None:
    for _ in range(5):
        attempt(on_sqlite, {"a": PROOF})
    on_sqlite.clock.now += pause
    assert [attempt(on_sqlite, {"a": PROOF}) for _ in range(more + 1)] == [True] * more + [False]


def test_who_mistypes_now_and_then_never_waits(on_sqlite: Premises) -> None:
    for _ in range(100):
        assert attempt(on_sqlite, {"office": ADDRESS})
        on_sqlite.clock.goes_on(minutes=15)


def test_a_clock_that_is_ahead_makes_nobody_wait_longer(on_sqlite: Premises) -> None:
    for _ in range(5):
        attempt(on_sqlite, {"a": ACCOUNT})
    on_sqlite.clock.goes_on(hours=-1)
    with pytest.raises(TryLater) as told, on_sqlite.database.session() as session:
        count_attempt(session, {"a": ACCOUNT}, on_sqlite.clock())
    assert told.value.seconds == 1


def test_counts_that_nobody_asks_for_are_dropped(on_sqlite: Premises) -> None:
    attempt(on_sqlite, {"old": ACCOUNT})
    recent = on_sqlite.clock.goes_on(hours=25)
    attempt(on_sqlite, {"new": ACCOUNT})
    with on_sqlite.database.session() as session:
        forget_failures(session, recent - FORGOTTEN_AFTER)
    with on_sqlite.database.reading() as session:
        assert [row.subject for row in session.query(SignInFailures)] == ["new"]


def test_many_guesses_at_once_are_not_many_guesses(postgres_database: Database) -> None:
    premises = Premises(postgres_database)
    with ThreadPoolExecutor(4) as guessers:
        let_in = list(guessers.map(lambda _: attempt(premises, {"a": ACCOUNT, "b": ADDRESS}), range(20)))
    assert sum(let_in) == 5

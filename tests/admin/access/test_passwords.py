"""Passwords: length counts; the commonest and one's own name do not do; checking always takes its time."""

import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from admin.access import passwords
from admin.access.passwords import Passwords, problem_with
from admin.errors import TryLater
from tests.admin.people import HASH, PASSWORD, QUICK


def problem(password: str) -> str | None:
    return problem_with(password, email="ada.long@example.com", name="Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    [
        "qz vx kw jp b",
        "x" * 11 + "7",
        "z" * 255 + "7",
        "пароль на сто лет",
        "🦆🦆🦆 and then 🦢🦢🦢",
        "            spaces",
    ],
)
def test_any_characters_do_from_twelve_to_256_of_them(password: str) -> None:
    assert problem(password) is None


@pytest.mark.parametrize(("length", "is_good"), [(11, False), (12, True), (256, True), (257, False)])
def test_length_has_its_edges(*, length: int, is_good: bool) -> None:
    assert (problem(("qzvxkwjpb" * 30)[:length]) is None) is is_good


@pytest.mark.parametrize("password", ["123456789012", "Password1234", "QWERTYUIOP123", "passwordpassword"])
def test_the_commonest_are_refused_in_any_case(password: str) -> None:
    assert "commonest" in str(problem(password))


@pytest.mark.parametrize(
    "password", ["my name is LOVELACE", "ada.long and more", "hookswitch 2026", "x ada.long@example.com x"]
)
def test_the_own_name_and_address_are_refused(password: str) -> None:
    assert "name" in str(problem(password))


def test_a_name_of_three_letters_may_occur() -> None:
    assert problem("canada has lakes") is None


def test_hashes_are_argon2id_as_recommended() -> None:
    parameters = extract_parameters(Passwords().hash(PASSWORD))
    assert parameters == RFC_9106_LOW_MEMORY


@pytest.mark.parametrize(
    ("typed", "is_right"),
    [(PASSWORD, True), (PASSWORD + " ", False), (PASSWORD[:-1], False), ("", False), ("\ud800", False)],
)
def test_only_the_whole_password_is_right(*, typed: str, is_right: bool) -> None:
    assert Passwords(QUICK).is_right(HASH, typed) is is_right


def test_the_same_letters_typed_on_another_machine_are_right() -> None:
    checked = Passwords(QUICK)
    assert checked.is_right(checked.hash("Caf\u00e9 au lait, deux"), "Cafe\u0301 au lait, deux")


def test_nothing_is_cut_off_a_long_password() -> None:
    checked = Passwords(QUICK)
    longest = "ab" * 128
    assert checked.is_right(checked.hash(longest), longest)
    assert not checked.is_right(checked.hash(longest), longest + "x")


def test_an_account_without_a_password_is_checked_as_long_as_one_with_it() -> None:
    counted = Counting()
    for password_hash in (HASH, None):
        Passwords(counted).is_right(password_hash, "wrong")
    assert counted.verified == 2


def test_a_hash_with_older_parameters_is_outdated() -> None:
    assert Passwords().is_outdated(HASH)
    assert not Passwords(QUICK).is_outdated(HASH)


def test_a_crowd_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE", 0.01)
    slow = Slow()
    crowded = Passwords(slow)
    first = threading.Thread(target=crowded.hash, args=(PASSWORD,))
    first.start()
    try:
        assert slow.began.wait(10)
        with pytest.raises(TryLater):
            crowded.hash(PASSWORD)
    finally:
        slow.may_end.set()
        first.join()


class Counting(PasswordHasher):
    """Counts how many passwords it checked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.verified += 1
        return super().verify(hash, password)


class Slow(PasswordHasher):
    """Hashes until it is told to end."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.began, self.may_end = threading.Event(), threading.Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.began.set()
        self.may_end.wait(10)
        return super().hash(password, salt=salt)

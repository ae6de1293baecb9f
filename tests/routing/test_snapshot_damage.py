"""Whatever happens to a snapshot file, it routes nobody wrongly."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from routing.arrival import FactsUnavailable
from routing.numbers import PhoneNumber
from routing.route import Route
from routing.snapshot.layout import END_LENGTH, FORMAT
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import write, write_stored
from tests.routing.facts import BUSINESS, NOW, a_campaign, a_number, phone

FACTS = [a_number(phone(1), 7), a_number(phone(2), 8, destination=BUSINESS), a_number(phone(3), None)]
CAMPAIGNS = {7: a_campaign(7, business_name="Smith & Sons"), 8: a_campaign(8, destination=phone(99))}
RIGHT = {
    facts.number: Route(facts, CAMPAIGNS[facts.campaign_id] if facts.campaign_id else None) for facts in FACTS
}
FAR_FUTURE = float("inf")


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    path = tmp_path / "whole.snapshot"
    write(path, CAMPAIGNS.values(), FACTS, NOW)
    return path.read_bytes()


def answer(snapshot: Snapshot, number: PhoneNumber) -> Route | type[FactsUnavailable] | None:
    try:
        return snapshot.route_of(number)
    except FactsUnavailable:
        return FactsUnavailable


def answers(path: Path) -> set[object]:
    snapshot = Snapshot(path)
    found: set[object] = {answer(snapshot, number) for number in RIGHT}
    snapshot.close()
    return found


def test_a_file_cut_short_anywhere_is_not_read(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "routes.snapshot"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert answers(path) == {FactsUnavailable}, length


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_a_file_with_any_byte_changed_is_not_read(tmp_path: Path, whole: bytes, mask: int) -> None:
    path = tmp_path / "routes.snapshot"
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        assert answers(path) == {FactsUnavailable}, place


def test_a_file_with_something_behind_its_end_is_not_read(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "routes.snapshot"
    for more in (b"\n", b"x", whole, bytes(END_LENGTH)):
        path.write_bytes(whole + more)
        assert answers(path) == {FactsUnavailable}


def test_a_newer_format_is_not_read(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "routes.snapshot"
    path.write_bytes(whole.replace(FORMAT, FORMAT.replace(b"1", b"2"), 1))
    assert answers(path) == {FactsUnavailable}


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"{}", FORMAT, FORMAT * 20])
def test_a_foreign_file_is_not_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "routes.snapshot"
    path.write_bytes(content)
    assert answers(path) == {FactsUnavailable}


def test_a_directory_in_its_place_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.snapshot"
    path.mkdir()
    assert answers(path) == {FactsUnavailable}


@pytest.mark.parametrize(
    "stored", [b"", b"nonsense", b"1 2", b"1 x 3", b"1 0 3 {", b'1 0 3 {"destination":"x"}']
)
def test_unreadable_facts_are_none(tmp_path: Path, stored: bytes) -> None:
    path = tmp_path / "routes.snapshot"
    write_stored(path, [], [(phone(1).e164, stored)], [], NOW)
    snapshot = Snapshot(path)
    assert answer(snapshot, phone(1)) is FactsUnavailable
    assert answer(snapshot, phone(2)) is None
    snapshot.close()


def _flip(descriptor: int, place: int) -> None:
    os.pwrite(descriptor, bytes([os.pread(descriptor, 1, place)[0] ^ 0x01]), place)


@pytest.mark.parametrize("damage", [_flip, os.ftruncate], ids=["flipped", "truncated"])
def test_a_file_damaged_while_it_is_open_answers_rightly_or_not_at_all(
    tmp_path: Path, whole: bytes, damage: Callable[[int, int], None]
) -> None:
    path = tmp_path / "routes.snapshot"
    for place in range(len(whole)):
        path.write_bytes(whole)
        seconds = iter([0.0] * 20)
        snapshot = Snapshot(path, lambda: next(seconds, FAR_FUTURE))  # noqa: B023 - used in this round only
        assert snapshot.route_of(phone(1)) == RIGHT[phone(1)]
        descriptor = os.open(path, os.O_RDWR)
        damage(descriptor, place)
        os.close(descriptor)
        for _ in range(3):  # before and after the damage is noticed
            for number, right in RIGHT.items():
                assert answer(snapshot, number) in (right, FactsUnavailable), place
        snapshot.close()

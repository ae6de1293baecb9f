"""The last-known copy knows who is blocked, and goes on reading copies that do not."""

from pathlib import Path

import msgspec
import pytest

from routing.blocks import CallerPattern, patterns_of
from routing.route import Route
from routing.snapshot import reader, writer
from routing.snapshot.layout import Contents, Table
from routing.snapshot.reader import Snapshot
from routing.snapshot.writer import write
from tests.routing.facts import CALLER, NOW, TRACKING, a_block, a_campaign, a_number, a_route, blocked, phone


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "routes"


def test_a_caller_finds_the_blocks_of_the_number_s_groups(path: Path) -> None:
    above = a_block(1, group_id=1, pattern=CallerPattern("+1303*"))
    own, foreign = a_block(2), a_block(3, group_id=4)
    many = [blocked(a_block(n, pattern=CallerPattern(phone(n).e164))) for n in range(10, 400)]
    lists = [*many, blocked(own, foreign), blocked(above)]
    write(path, [a_campaign(groups_above=(1,))], [a_number()], NOW, lists)
    snapshot = Snapshot(path)
    assert snapshot.route_of(TRACKING, patterns_of(CALLER)) == a_route(groups_above=(1,)).facing([above, own])
    assert snapshot.route_of(TRACKING, patterns_of(None)) == a_route(groups_above=(1,))
    assert snapshot.route_of(TRACKING) == a_route(groups_above=(1,))
    found = snapshot.route_of(TRACKING, patterns_of(phone(12)))
    assert isinstance(found, Route)
    assert [block.block_id for block in found.blocks] == [12]


def test_a_copy_of_the_version_before_blocks_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Before(msgspec.Struct):
        taken_at: object
        campaigns: Table
        numbers: Table

    monkeypatch.setattr(
        writer,
        "Contents",
        lambda blocked, **others: Before(**others),  # noqa: ARG005 - what is new is dropped
    )
    write(path, [a_campaign()], [a_number()], NOW)
    assert Snapshot(path).route_of(TRACKING, patterns_of(CALLER)) == a_route()


def test_the_version_before_reads_past_the_blocks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, [a_campaign()], [a_number()], NOW, [blocked(a_block())])

    class Before(msgspec.Struct):
        taken_at: str
        campaigns: Table
        numbers: Table

    def read(raw: bytes) -> Contents:
        known = msgspec.json.decode(raw, type=Before)
        return Contents(NOW, known.campaigns, known.numbers)

    monkeypatch.setattr(reader, "_read_contents", read)
    assert Snapshot(path).route_of(TRACKING, patterns_of(CALLER)) == a_route()

"""Blocking callers and letting them through again: who may, what is refused, what list and trail say."""

from datetime import timedelta
from typing import Any

import pytest

from admin import blocks
from admin.drafts import spelled
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from admin.lists import audit as audit_list
from admin.lists import blocks as block_list
from models.call import Call
from tests.admin.office import Office, problems
from tests.builders import NOW

CALLER = "+14155550142"
LATER = spelled(NOW + timedelta(days=1))


def blocked(office: Office, callers: str = CALLER, **said: Any) -> int:
    with office.writing(office.ada) as session:
        return blocks.add(session, office.ada, {"callers": callers} | said, NOW).id


def found(office: Office, actor: Any = None, now: Any = NOW, **filters: Any) -> list[int]:
    with office.reading() as session:
        return [block.id for block in block_list.page(session, actor or office.ada, filters, now).items]


@pytest.mark.parametrize("typed", [CALLER, "+1 (415) 555-0142", "+1900*", "+1 900 …", "Anonymous"])
def test_a_number_all_that_begin_alike_and_whoever_gives_none_can_be_blocked(
    on_sqlite: Office, typed: str
) -> None:
    block_id = blocked(on_sqlite, typed, reason="robots", expires_at=LATER)
    with on_sqlite.reading() as session:
        block = block_list.one(session, on_sqlite.ada, block_id, NOW)
    assert block.callers in {CALLER, "+1900*", "anonymous"}
    assert (block.reason, block.in_force, block.group_id) == ("robots", True, on_sqlite.root)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"callers": "somebody"}, "callers"),
        ({"callers": None}, "callers"),
        ({"expires_at": spelled(NOW)}, "expires_at"),
        ({"group_id": 999_999}, "group_id"),
        ({"reason": "x" * 201}, "reason"),
    ],
)
def test_what_cannot_be_blocked_is_said_beside_its_field(
    on_sqlite: Office, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        blocked(on_sqlite, **({"callers": CALLER} | wrong))
    assert set(problems(refused)) == {field}


def test_who_is_blocked_already_is_not_blocked_again(office: Office) -> None:
    block_id = blocked(office)
    with pytest.raises(Conflict, match=f"block {block_id} ") as refused:
        blocked(office)
    assert CALLER not in str(refused.value)
    blocked(office, group_id=office.north)


def test_admins_block_and_lift_in_their_subtree_only(on_sqlite: Office) -> None:
    block_id = blocked(on_sqlite, group_id=on_sqlite.north)
    raw = {"callers": "+1900*"}
    for actor in (on_sqlite.olga, on_sqlite.reader(on_sqlite.ned)):
        with pytest.raises(NotAllowed), on_sqlite.writing(actor) as session:
            blocks.add(session, actor, raw, NOW)
        with pytest.raises(NotAllowed), on_sqlite.writing(actor) as session:
            blocks.lift(session, actor, block_id, NOW)
    with pytest.raises(NotThere), on_sqlite.writing(on_sqlite.sam) as session:
        blocks.lift(session, on_sqlite.sam, block_id, NOW)
    with on_sqlite.writing(on_sqlite.ned) as session:
        assert blocks.lift(session, on_sqlite.ned, block_id, NOW).lifted_at == NOW


def test_a_block_is_lifted_once(on_sqlite: Office) -> None:
    block_id = blocked(on_sqlite)
    with on_sqlite.writing(on_sqlite.ada) as session:
        blocks.lift(session, on_sqlite.ada, block_id, NOW)
    with pytest.raises(Conflict, match="lifted already"), on_sqlite.writing(on_sqlite.ada) as session:
        blocks.lift(session, on_sqlite.ada, block_id, NOW)


def test_the_list_has_what_is_in_force_and_for_who_asks_what_has_ended(office: Office) -> None:
    lifted, expiring = blocked(office), blocked(office, "+1900*", expires_at=LATER)
    with office.writing(office.ada) as session:
        blocks.lift(session, office.ada, lifted, NOW)
    lasting = blocked(office)
    assert set(found(office)) == {expiring, lasting}
    tomorrow = NOW + timedelta(days=1)
    assert found(office, now=tomorrow) == [lasting]
    assert set(found(office, now=tomorrow, ended="true")) == {lifted, expiring}


def test_the_list_tells_what_keeps_a_caller_out(on_sqlite: Office) -> None:
    exact, wide, narrow = blocked(on_sqlite), blocked(on_sqlite, "+1*"), blocked(on_sqlite, "+1415*")
    withheld = blocked(on_sqlite, "anonymous")
    assert set(found(on_sqlite, callers=CALLER)) == {exact, wide, narrow}
    assert found(on_sqlite, callers="+1212*") == [wide]
    assert set(found(on_sqlite, callers="+14155*")) == {wide, narrow}
    assert found(on_sqlite, callers="anonymous") == [withheld]
    assert found(on_sqlite, callers="+49*") == []


def test_the_list_is_cut_to_the_subtree(on_sqlite: Office) -> None:
    of_root, of_north = blocked(on_sqlite), blocked(on_sqlite, group_id=on_sqlite.north)
    assert set(found(on_sqlite)) == {of_root, of_north}
    assert found(on_sqlite, group_id=on_sqlite.root, subgroups="false") == [of_root]
    assert found(on_sqlite, on_sqlite.olga) == [of_north]
    assert found(on_sqlite, on_sqlite.sam) == []


def test_a_block_counts_the_calls_that_it_has_kept_out(on_sqlite: Office) -> None:
    block_id = blocked(on_sqlite)
    with on_sqlite.writing(on_sqlite.ada) as session:
        for minutes in (2, 1):
            at = NOW - timedelta(minutes=minutes)
            said = {"carrier": "twilio", "call_sid": f"CA{minutes}", "started_at": at, "created_at": at}
            session.add(Call(**said, blocked_by=block_id, decision="reject", group_id=on_sqlite.root))
    with on_sqlite.reading() as session:
        block = block_list.one(session, on_sqlite.ada, block_id, NOW)
    assert (block.hits, block.last_hit_at) == (2, NOW - timedelta(minutes=1))


def test_the_trail_has_both_and_masks_the_caller(on_sqlite: Office) -> None:
    block_id = blocked(on_sqlite)
    with on_sqlite.writing(on_sqlite.ada) as session:
        blocks.lift(session, on_sqlite.ada, block_id, NOW)
    with on_sqlite.reading() as session:
        raw = {"entity": "blocked_caller", "entity_id": block_id, "sort": "at"}
        entries = audit_list.page(session, on_sqlite.otis, raw, NOW).items
    assert [entry.field for entry in entries] == ["created", "lifted_at"]
    assert entries[0].new is not None
    assert CALLER not in entries[0].new

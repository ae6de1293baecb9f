"""Pages of lists: cursors, limits, totals, and how many questions they ask the database."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from admin.errors import Invalid
from admin.lists import audit, calls, campaigns, groups, numbers, plans, prompts, users
from models.call import Call
from models.database import Database
from models.prompt import Prompt, PromptKind
from tests.admin.office import Office, problems
from tests.admin.pages import PageOf, ids, walk
from tests.builders import NOW, a_user

PAGES: dict[str, PageOf] = {
    "audit": audit.page,
    "calls": calls.page,
    "campaigns": campaigns.page,
    "groups": groups.page,
    "numbers": numbers.page,
    "plans": plans.page,
    "prompts": prompts.page,
    "users": users.page,
}
SORTS = {
    "audit": ("at",),
    "calls": ("started_at",),
    "campaigns": ("name", "external_id", "owner", "starts_at", "ends_at", "created_at", "updated_at"),
    "groups": ("name", "external_id"),
    "numbers": ("number", "name", "created_at"),
    "plans": ("name",),
    "prompts": ("name",),
    "users": ("name", "email", "created_at"),
}
EVERY_ORDER = [(name, sign + sort) for name, sorts in SORTS.items() for sort in sorts for sign in ("", "-")]


def fill(office: Office, count: int) -> None:
    """Add rows of every kind, many of them alike in what they are sorted by."""
    for serial in range(count):
        end = f"2027-01-0{1 + serial % 3}T00:00:00Z" if serial % 3 else None
        campaign = office.campaign(
            office.ned if serial % 2 else office.olga,
            name=("leaflet", "Poster", "Ärger")[serial % 3],
            external_id=f"crm-{serial % 4}" if serial % 2 else None,
            ends_at=end,
        )
        office.number(office.ned, f"+1415555{serial:04d}", campaign, name=f"Van {serial % 2}")
        with office.database.session() as session:
            a_user(session, group_id=office.branch, name=f"Bob {serial % 3}")
            session.add(Prompt(name=f"Bye {serial % 3}", kind=PromptKind.TEXT, group_id=office.north))
            session.add(
                Call(
                    carrier="twilio",
                    call_sid=f"CA{serial}-{campaign}",
                    campaign_id=campaign,
                    group_id=office.north,
                    started_at=NOW,
                    created_at=NOW,
                )
            )


def test_pages_follow_each_other_without_a_gap_or_a_repetition(office: Office) -> None:
    fill(office, 4)
    for name, sort in EVERY_ORDER:
        whole = ids(office, PAGES[name], office.ada, sort=sort, limit="200")
        assert len(set(whole)) == len(whole) > 1
        assert ids(office, PAGES[name], office.ada, sort=sort, limit="3") == whole, sort
        if sort.startswith("-"):
            there = ids(office, PAGES[name], office.ada, sort=sort.removeprefix("-"))
            assert whole == there[::-1], sort


def test_a_walk_shows_each_row_once_while_others_come(office: Office) -> None:
    fill(office, 5)
    before = ids(office, campaigns.page, office.ada, sort="name")
    seen: list[int] = []
    asked: dict[str, str] = {"sort": "name", "limit": "2"}
    while True:
        with office.reading() as session:
            shown = campaigns.page(session, office.ada, asked, NOW)
        seen += [item.id for item in shown.items]
        if shown.next_cursor is None:
            break
        asked["cursor"] = shown.next_cursor
        office.campaign(office.ned, name="Aardvark")
        office.campaign(office.ned, name="leaflet")
    assert [each for each in seen if each in before] == before
    assert len(set(seen)) == len(seen)


def test_campaigns_are_sorted_as_people_read(office: Office) -> None:
    for name in ("banana", "Apple", "apple", "Cherry"):
        office.campaign(office.ada, name=name)
    names = [c.name for c in walk(office, campaigns.page, office.ada, sort="name")]
    assert names == ["Apple", "apple", "banana", "Cherry"]


def test_what_never_ends_comes_after_what_does(office: Office) -> None:
    never, later = office.campaign(office.ada), office.campaign(office.ada, ends_at="9999-12-31T23:00:00Z")
    soon = office.campaign(office.ada, ends_at="2027-01-01T00:00:00Z")
    assert ids(office, campaigns.page, office.ada, sort="ends_at", limit="1") == [soon, later, never]


@pytest.mark.parametrize("limit", ["1", "2", "199", "200"])
def test_a_page_has_between_1_and_200_rows(on_sqlite: Office, limit: str) -> None:
    with on_sqlite.reading() as session:
        assert users.page(session, on_sqlite.ada, {"limit": limit}, NOW).items


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5"])
def test_neither_fewer_nor_more(on_sqlite: Office, limit: str) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.reading() as session:
        users.page(session, on_sqlite.ada, {"limit": limit}, NOW)
    assert problems(refusal).keys() == {"limit"}


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "!",
        "é",
        base64.urlsafe_b64encode(b"\xff").decode(),
        forged(),
        forged("name", "Leaflet"),
        forged("-name", "Leaflet", 1),
        forged("name", "Leaflet", "1"),
        forged("name", "Leaflet", True),
        forged("name", "Leaflet", 2**63),
        forged("name", 7, 1),
        forged("name", None, 1),
        forged("name", "Leaf\x00let", 1),
        forged("name", "\ud800", 1),
        "W" * 3000,
        base64.urlsafe_b64encode(b"[" * 2900).decode(),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(on_sqlite: Office, cursor: str) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.reading() as session:
        campaigns.page(session, on_sqlite.ada, {"sort": "name", "cursor": cursor}, NOW)
    assert problems(refusal).keys() == {"cursor"}


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-04T12:00:00", "0001-01-01T00:00:00+23:59", 7])
def test_a_cursor_names_an_instant_with_its_offset(on_sqlite: Office, moment: object) -> None:
    asked = {"sort": "starts_at", "cursor": forged("starts_at", moment, 1)}
    with pytest.raises(Invalid) as refusal, on_sqlite.reading() as session:
        campaigns.page(session, on_sqlite.ada, asked, NOW)
    assert problems(refusal).keys() == {"cursor"}


def test_the_total_is_counted_if_it_is_asked_for(office: Office) -> None:
    fill(office, 3)
    for page in PAGES.values():
        with office.reading() as session:
            asked = page(session, office.ada, {"count": "true", "limit": "1"}, NOW)
            assert page(session, office.ada, {}, NOW).total is None
        assert asked.total == len(walk(office, page, office.ada))


@pytest.mark.parametrize(("most", "total"), [(2, 2), (3, 3), (4, 3)])
def test_no_farther_is_counted_than_was_asked_for(on_sqlite: Office, most: int, total: int) -> None:
    for _each in range(3):
        on_sqlite.campaign(on_sqlite.ada)
    with on_sqlite.reading() as session:
        page = campaigns.page(session, on_sqlite.ada, {"count": True, "count_to": most}, NOW)
    assert page.total == total


@contextmanager
def questions(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("name", PAGES)
def test_a_long_page_asks_no_more_than_a_short_one(office: Office, name: str) -> None:
    fill(office, 3)
    asked = {}
    for limit in ("2", "200"):
        with questions(office.database) as heard, office.reading() as session:
            shown = PAGES[name](session, office.ada, {"limit": limit, "count": "true"}, NOW)
        asked[limit] = len(heard), len(shown.items)
    assert asked["200"][1] > asked["2"][1] or name == "plans"
    assert asked["2"][0] == asked["200"][0] <= 10

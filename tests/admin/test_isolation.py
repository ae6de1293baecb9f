"""Nothing outside an actor's subtree is listed, shown, counted or changed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from admin import campaigns, groups, number_releases, numbers, order_progress, prompts
from admin.errors import NotThere
from admin.lists import audit, calls
from admin.lists import campaigns as campaign_lists
from admin.lists import groups as group_lists
from admin.lists import number_orders as order_lists
from admin.lists import numbers as number_lists
from admin.lists import prompts as prompt_lists
from admin.lists import users as user_lists
from models.audit import Via
from models.call import Call
from models.number_order import NumberOrder
from tests.admin.office import Office
from tests.admin.pages import walk
from tests.admin.stall import Stall
from tests.builders import NOW, a_group, a_text_prompt, a_user


@pytest.fixture
def everywhere(office: Office) -> dict[int, dict[str, int]]:
    """A campaign, number, prompt and call in each group, by group."""
    made: dict[int, dict[str, int]] = {}
    for serial, group in enumerate((office.root, office.north, office.branch, office.south)):
        campaign = office.campaign(office.ada, group_id=group)
        number = office.number(office.ada, f"+1415555018{serial}", campaign)
        with office.database.session() as session:
            prompt = a_text_prompt(session, group_id=group).id
            call = Call(
                carrier="twilio",
                call_sid=str(serial),
                group_id=group,
                campaign_id=campaign,
                started_at=NOW,
                created_at=NOW,
            )
            order = NumberOrder(
                fingerprint=str(serial),
                group_id=group,
                campaign_id=campaign,
                via=Via.PAGE,
                carrier="twilio",
                quantity=1,
                wanted={},
                label=str(serial),
            )
            session.add_all([call, order])
            session.flush()
            made[group] = {
                "campaign": campaign,
                "number": number,
                "prompt": prompt,
                "call": call.id,
                "order": order.id,
                "group": group,
            }
    return made


LISTS: dict[str, Any] = {
    "campaign": campaign_lists,
    "number": number_lists,
    "prompt": prompt_lists,
    "call": calls,
    "group": group_lists,
    "order": order_lists,
}
SEES = {
    "ada": ("root", "north", "branch", "south"),
    "otis": ("root", "north", "branch", "south"),
    "ned": ("north", "branch"),
    "bert": ("branch",),
    "stan": ("south",),
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_shows_and_counts_the_subtree_alone(
    office: Office, everywhere: dict[int, dict[str, int]], kind: str
) -> None:
    for name, visible in SEES.items():
        actor = getattr(office, name)
        groups_seen = [getattr(office, group) for group in visible]
        expected = {everywhere[group][kind] for group in groups_seen}
        assert {item.id for item in walk(office, LISTS[kind].page, actor)} == expected
        with office.reading() as session:
            assert LISTS[kind].page(session, actor, {"count": "true"}, NOW).total == len(expected)
            for group, rows in everywhere.items():
                if group in groups_seen:
                    assert LISTS[kind].one(session, actor, rows[kind], NOW).id == rows[kind]
                else:
                    with pytest.raises(NotThere):
                        LISTS[kind].one(session, actor, rows[kind], NOW)


@pytest.mark.parametrize("kind", ["campaign", "number", "prompt", "call", "order"])
def test_a_filter_by_a_group_outside_finds_nothing(
    office: Office, everywhere: dict[int, dict[str, int]], kind: str
) -> None:
    assert everywhere
    for group in (office.root, office.south, 999_999):
        assert walk(office, LISTS[kind].page, office.ned, group_id=str(group)) == []


def test_users_are_those_of_the_subtree(office: Office) -> None:
    assert [u.name for u in walk(office, user_lists.page, office.ned)] == ["Bert", "Dora", "Ned", "Olga"]
    with office.reading() as session, pytest.raises(NotThere):
        user_lists.one(session, office.ned, office.ada.user_id, NOW)


def test_the_trail_of_others_and_of_people_is_not_for_everybody(
    office: Office, everywhere: dict[int, dict[str, int]]
) -> None:
    assert everywhere
    inside = {office.north, office.branch}
    assert {e.group_id for e in walk(office, audit.page, office.ned)} == inside
    assert "user" in {e.entity for e in walk(office, audit.page, office.ned)}
    assert "user" not in {e.entity for e in walk(office, audit.page, office.olga)}
    assert "plan" in {e.entity for e in walk(office, audit.page, office.ada)}
    assert "plan" not in {e.entity for e in walk(office, audit.page, office.otis)}


def test_calls_of_nobodys_numbers_are_seen_by_who_sees_everything(office: Office) -> None:
    with office.database.session() as session:
        session.add(Call(carrier="twilio", call_sid="1", group_id=None, started_at=NOW, created_at=NOW))
    assert len(walk(office, calls.page, office.ada)) == 1
    assert walk(office, calls.page, office.ned) == []
    with office.database.session() as session:
        a_group(session, name="Another account")
    assert walk(office, calls.page, office.ada) == []


def test_two_accounts_see_nothing_of_each_other(
    office: Office, everywhere: dict[int, dict[str, int]]
) -> None:
    assert everywhere
    with office.database.session() as session:
        other = a_group(session, name="Another account")
        stranger = a_user(session, group_id=other.id)
        session.flush()
        actor = type(office.ada)(stranger.id, other.id, stranger.role, "UTC")
    for kind in ("campaign", "number", "prompt", "call", "order"):
        assert walk(office, LISTS[kind].page, actor) == []
    assert [g.id for g in walk(office, group_lists.page, actor)] == [actor.group_id]


ACTS: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [
    ("campaign", campaigns.revise, {"name": "New"}),
    ("campaign", campaigns.end_now, {}),
    ("campaign", campaigns.extend, {"ends_at": None}),
    ("campaign", campaigns.pause, {}),
    ("campaign", campaigns.resume, {}),
    ("campaign", campaigns.archive, {}),
    ("campaign", campaigns.change_owner, {"owner_id": 1}),
    ("number", numbers.revise, {"name": "New"}),
    ("number", numbers.move, {"campaign_id": None}),
    ("number", number_releases.release_one, {}),
    ("number", lambda session, actor, number_id, *_: number_releases.undo_one(session, actor, number_id), {}),
    (
        "order",
        lambda session, actor, order_id, _raw, now: order_progress.cancel(session, actor, order_id, now),
        {},
    ),
    ("order", partial(order_progress.go_on, market=Stall()), {}),
    ("group", groups.revise, {"name": "New"}),
    ("group", groups.move, {"parent_id": 1}),
    ("group", groups.archive, {}),
    ("prompt", prompts.revise, {"name": "New"}),
    ("prompt", prompts.archive, {}),
]


def test_nothing_outside_the_subtree_is_there_to_be_changed(
    office: Office, everywhere: dict[int, dict[str, int]]
) -> None:
    for kind, act, draft in ACTS:
        for actor, group in (
            (office.ned, office.south),
            (office.ned, office.root),
            (office.stan, office.north),
        ):
            with pytest.raises(NotThere), office.writing(actor) as session:
                act(session, actor, everywhere[group][kind], draft, NOW)
        with pytest.raises(NotThere), office.writing(office.ada) as session:
            act(session, office.ada, 999_999, draft, NOW)

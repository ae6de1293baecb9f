"""`hookswitch blocks`: callers are blocked, listed and let through again, and calls hear of it at once."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.index.lookup import CampaignIndex
from routing.numbers import PhoneNumber
from routing.route import Route
from tests.builders import TRACKING, a_campaign, a_group, a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation

CALLER = "+14155550142"


@pytest.fixture
def group(installation: Installation) -> str:
    """The id of a group with a live number."""
    with installation.database.session() as session:
        found = a_group(session)
        a_number(session, TRACKING, a_campaign(session, group_id=a_group(session, parent_id=found.id).id))
    installation.rebuild_index()
    return str(found.id)


def reason_for(typed: Typed, caller: str, *more: str) -> str:
    reason: str = typed("explain", TRACKING.e164, "--from", caller, "--json", *more).json["reason"]
    return reason


def test_who_is_added_is_blocked_at_once_and_who_is_lifted_is_not(typed: Typed, group: str) -> None:
    assert reason_for(typed, CALLER) == "live"
    added = typed("blocks", "add", CALLER, "--group", group, "--reason", "rings all day")
    assert (added.status, added.err) == (0, "")
    assert added.out == f"block 1: {CALLER}, group {group}, for good\n"
    assert reason_for(typed, CALLER) == "blocked_caller"
    assert typed("blocks", "lift", "1").status == 0
    assert reason_for(typed, CALLER) == "live"
    assert typed("index", "verify").status == 0


def test_a_block_that_ends_is_explained_for_before_and_after(typed: Typed, group: str) -> None:
    typed("blocks", "add", "+1415*", "--group", group, "--until", "2100-01-01T00:00:00Z")
    assert reason_for(typed, CALLER, "--at", "2099-12-31T23:59:59Z") == "blocked_caller"
    assert reason_for(typed, CALLER, "--at", "2100-01-01T00:00:00Z") == "live"
    said = typed("explain", TRACKING.e164, "--from", CALLER).out
    assert f"+1415* on the list of group {group} (id 1), until 2100-01-01T00:00:00Z" in said


def test_explaining_without_a_caller_blocks_nobody(typed: Typed, group: str) -> None:
    typed("blocks", "add", "anonymous", "--group", group)
    assert typed("explain", TRACKING.e164, "--json").json["reason"] == "live"
    assert reason_for(typed, "Restricted") == "blocked_caller"


def test_the_list_tells_hits_and_keeps_what_was_lifted_for_those_who_ask(typed: Typed, group: str) -> None:
    assert typed("blocks", "list").out == "nobody is blocked\n"
    assert typed("blocks", "list", "--json").out == ""
    typed("blocks", "add", "+1415*", "--group", group, "--reason", "robots")
    [listed] = typed("blocks", "list", "--json").json_lines
    assert {
        name: listed[name] for name in ("id", "group_id", "callers", "reason", "hits", "last_hit_at")
    } == {
        "id": 1,
        "group_id": int(group),
        "callers": "+1415*",
        "reason": "robots",
        "hits": 0,
        "last_hit_at": None,
    }
    assert (
        typed("blocks", "list", "--group", group).out
        == f"1: +1415*, group {group}, for good, 0 calls: robots\n"
    )
    assert typed("blocks", "list", "--group", "99").out == "nobody is blocked\n"
    typed("blocks", "lift", "1")
    assert typed("blocks", "list").out == "nobody is blocked\n"
    assert "lifted" in typed("blocks", "list", "--all").out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["add", CALLER, "--group", "99"], 1),
        (["add", "somebody", "--group", "1"], 2),
        (["add", CALLER], 2),
        (["lift", "99"], 1),
        (["add", CALLER, "--group", "1", "--until", "2020-01-01T00:00:00Z"], 2),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    typed: Typed, group: str, words: list[str], status: int
) -> None:
    told = typed("blocks", *words)
    assert told.status == status
    assert told.complaint


def test_blocking_again_names_the_block_that_is_there(typed: Typed, group: str) -> None:
    typed("blocks", "add", CALLER, "--group", group)
    again = typed("blocks", "add", CALLER, "--group", group)
    assert again.status == 1
    assert "block 1 " in again.complaint
    assert CALLER not in again.complaint


def test_without_redis_a_block_waits_for_the_worker(
    typed: Typed, installation: Installation, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    told = typed("blocks", "add", CALLER, "--group", group)
    assert told.status == 0
    assert "worker" in told.complaint
    route = CampaignIndex(installation.redis, installation.layout).route_of(TRACKING, (CALLER,))
    assert isinstance(route, Route)
    assert route.blocks == ()


def test_the_demo_keeps_out_premium_callers(typed: Typed, installation: Installation) -> None:
    installation.load_demo()
    number = PhoneNumber("+15005550100").e164
    assert typed("explain", number, "--from", "+19005550123", "--json").json["reason"] == "blocked_caller"
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert typed("explain", number, "--from", "+14155550142", "--at", soon, "--json").json["reason"] == "live"

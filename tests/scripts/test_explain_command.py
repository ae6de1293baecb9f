"""`hookswitch explain`: which decision, which rule, which facts, from wherever a call would read them."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import select

from models.campaign import Campaign
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from tests.builders import BUSINESS, NOW, a_campaign, a_group, a_number, a_plan
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation

NOWHERE = "redis://127.0.0.1:1/0"
SECOND = timedelta(seconds=1)
STATES = {
    "+15005550100": ("connect", "live"),
    "+15005550103": ("referral", "referral"),
    "+15005550107": ("reject", "ended"),
    "+15005550108": ("reject", "ended"),
    "+15005550109": ("reject", "scheduled"),
    "+15005550110": ("reject", "paused"),
    "+15005550111": ("reject", "archived"),
    "+15005550112": ("reject", "released"),
    "+15005550113": ("reject", "unassigned"),
    "+15005550199": ("reject", "unknown_number"),
}


@pytest.fixture
def ended(installation: Installation) -> str:
    """A number whose campaign began a day before `NOW`, ended at `NOW` and refers its callers."""
    with installation.database.session() as session:
        group = a_group(session, plan_id=a_plan(session).id)
        campaign = a_campaign(
            session,
            group_id=group.id,
            ends_at=NOW,
            end_of_campaign=EndOfCampaign.REFERRAL,
            business_number=BUSINESS,
            external_id="LEAFLET [bold]:smile:[/] \x1b[31m",
        )
        a_number(session, PhoneNumber("+15005550100"), campaign)
    return "+15005550100"


def test_every_state_of_the_demo_is_explained(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    for number, (decision, reason) in STATES.items():
        told = typed("explain", number, "--json")
        assert (told.status, told.err) == (0, "")
        explained = told.json
        assert (explained["decision"], explained["reason"]) == (decision, reason), number
        assert explained["rule"]
        assert explained["source"] == ("database" if reason == "unknown_number" else "index")

        spoken = typed("explain", number)
        assert (spoken.status, spoken.err) == (0, "")
        first, *rest = spoken.out.splitlines()
        assert first == f"{decision} ({reason}): {explained['rule']}"
        shown = {name: value.strip() for name, value in (line.strip().split("  ", 1) for line in rest)}
        assert shown.items() >= explained["facts"].items()
        assert shown["facts read from"] == explained["source"]


def test_the_facts_are_those_of_the_route(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    facts = typed("explain", "+15005550101", "--json").json["facts"]
    assert facts["tracking number"].startswith("+15005550101 (id ")
    assert facts["own destination"] == facts["connects to"] == "+14155550193"
    assert facts["destination"] == "+14155550190"
    assert (facts["external ID"], facts["state"], facts["ends"]) == ("LEAFLET-1", "live", "never")


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - timedelta(days=1) - SECOND, "scheduled"),
        (NOW - timedelta(days=1), "live"),
        (NOW - SECOND, "live"),
        (NOW, "referral"),
        (NOW + timedelta(days=30) - SECOND, "referral"),
        (NOW + timedelta(days=30), "ended"),
        (datetime(1, 1, 1, tzinfo=UTC), "scheduled"),
        (datetime(9999, 12, 31, tzinfo=UTC), "ended"),
    ],
)
def test_any_instant_can_be_asked_about(typed: Typed, ended: str, at: datetime, reason: str) -> None:
    explained = typed("explain", ended, "--at", at.isoformat(), "--json").json
    assert explained["reason"] == reason
    assert explained["at"] == at.isoformat().replace("+00:00", "Z")
    assert explained["facts"]["referral window closes"] == "2026-04-03T12:00:00Z"


def test_an_instant_may_have_any_offset(typed: Typed, ended: str) -> None:
    explained = typed("explain", ended, "--at", "2026-03-04T13:00:00+01:00", "--json").json
    assert (explained["at"], explained["reason"]) == ("2026-03-04T12:00:00Z", "referral")


def test_what_operators_typed_is_shown_as_it_is_and_cannot_steer_the_terminal(
    typed: Typed, ended: str
) -> None:
    shown = typed("explain", ended, "--at", NOW.isoformat()).out
    assert "LEAFLET [bold]:smile:[/] \N{REPLACEMENT CHARACTER}[31m" in shown
    assert "\x1b" not in shown


def test_without_redis_the_facts_are_read_from_the_database(
    typed: Typed, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", NOWHERE)
    explained = typed("explain", ended, "--at", NOW.isoformat(), "--json").json
    assert (explained["reason"], explained["source"]) == ("referral", "database")


def test_where_nothing_can_be_read_a_caller_would_hear_an_apology(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", NOWHERE)
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/hookswitch.db")
    told = typed("explain", "+15005550100", "--json")
    assert told.status == 0
    assert (told.json["decision"], told.json["reason"]) == ("apology", "unavailable")


def test_a_whole_index_that_does_not_list_the_number_is_a_fact_without_the_database(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.load_demo()
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/hookswitch.db")
    explained = typed("explain", "+15005550199", "--json").json
    assert (explained["reason"], explained["source"]) == ("unknown_number", "index")


def test_it_leaves_no_trace(installation: Installation, typed: Typed, redis_client: redis.Redis) -> None:
    installation.load_demo()
    before = sorted(redis_client.keys())
    typed("explain", "+15005550100")
    assert sorted(redis_client.keys()) == before


def test_an_edit_not_yet_in_the_index_does_not_show_for_calls_do_not_see_it_either(
    installation: Installation, typed: Typed, ended: str
) -> None:
    installation.rebuild_index()
    with installation.database.session() as session:
        session.scalars(select(Campaign)).one().enabled = False
    assert typed("explain", ended, "--at", NOW.isoformat(), "--json").json["reason"] == "referral"

"""The states that a query finds are those that the policy names, and what is said of them is true."""

from datetime import datetime, timedelta
from itertools import combinations, product
from typing import Any

import pytest
from sqlalchemy import select

from admin.consequences import consequences
from admin.lists import campaigns as lists
from models.campaign import Campaign
from models.routes import campaign_facts
from routing.policy import REFERRAL_WINDOW, State, state_of
from routing.route import EndOfCampaign, RecordedPrompt, SpokenPrompt
from tests.admin.office import Office
from tests.admin.pages import walk
from tests.builders import BUSINESS, NOW
from tests.builders import campaign_facts as facts_of

TICK = timedelta(microseconds=1)
STARTS = (NOW - timedelta(days=90), NOW - TICK, NOW, NOW + TICK, NOW + timedelta(days=1))
ENDS = (
    None,
    *(NOW + edge + step for edge in (timedelta(0), -REFERRAL_WINDOW) for step in (-TICK, timedelta(0), TICK)),
)


@pytest.fixture
def every_kind(office: Office) -> Office:
    """An account with a campaign for each combination of what a state depends on."""
    with office.database.session() as session:
        for start, end, enabled, archived, ending, group in product(
            STARTS, ENDS, (True, False), (None, NOW), EndOfCampaign, (office.north, office.south)
        ):
            if end is None or end > start:
                session.add(
                    Campaign(
                        name="Leaflet",
                        group_id=group,
                        owner_id=office.ada.user_id,
                        starts_at=start,
                        ends_at=end,
                        enabled=enabled,
                        archived_at=archived,
                        end_of_campaign=ending,
                    )
                )
    return office


@pytest.mark.parametrize("at", [NOW - TICK, NOW, NOW + TICK])
def test_a_query_finds_the_states_that_the_policy_names(every_kind: Office, at: datetime) -> None:
    office = every_kind
    with office.reading() as session:
        facts = campaign_facts(session, list(session.scalars(select(Campaign.id))))
    states = {each: state_of(own, at) for each, own in facts.items()}
    assert set(states.values()) == set(State)
    wanted = [*combinations(State, 1), *combinations(State, 2), tuple(State)]
    for asked in wanted:
        found = walk(office, lists.page, office.ada, at, state=[*asked], limit="200")
        assert {c.id: c.state for c in found} == {i: s for i, s in states.items() if s in asked}, asked
        assert all(c.active is (c.state is State.LIVE) for c in found)
    for active in (True, False):
        found = walk(office, lists.page, office.ada, at, active=str(active).lower(), limit="200")
        expected = {i for i, s in states.items() if (s is State.LIVE) is active and s is not State.ARCHIVED}
        assert {c.id for c in found} == expected


END = NOW + timedelta(days=1)
REFERS: dict[str, Any] = {
    "ends_at": END,
    "end_of_campaign": EndOfCampaign.REFERRAL,
    "referral_included": True,
}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, ["connected."]),
        ({"destination": None}, ["apology"]),
        ({"ends_at": END}, ["connected until 2026-03-05 12:00 UTC", "After that, calls are rejected."]),
        ({"starts_at": NOW + TICK}, ["rejected until", "connected"]),
        ({"enabled": False}, ["switched off"]),
        ({"archived": True}, ["archived"]),
        (REFERS, ["connected until", "standard referral prompt until 2026-04-04 12:00 UTC"]),
        (REFERS | {"referral_included": False}, ["connected until", "plan does not include"]),
        (REFERS | {"prompt": SpokenPrompt(text="Bye")}, ["connected", "own words"]),
        (REFERS | {"prompt": RecordedPrompt(1, "d")}, ["connected", "the recording"]),
        (REFERS | {"ends_at": NOW - TICK}, ["ended at 2026-03-04 11:59 UTC. Callers hear"]),
        (REFERS | {"ends_at": datetime.max.replace(tzinfo=NOW.tzinfo)}, ["connected", "for 30 days"]),
        ({"ends_at": NOW}, ["ended at 2026-03-04 12:00 UTC: calls are rejected"]),
    ],
)
def test_what_a_campaign_means_for_callers_is_told_in_words(said: dict[str, Any], words: list[str]) -> None:
    told = consequences(facts_of(business_number=BUSINESS, **said), NOW)
    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))

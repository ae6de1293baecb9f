"""The explanation of a call says what `decide` decided, by which rule and on which facts, for every call."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.arrival import Arrival, Source
from routing.decision import Reason
from routing.explanation import _RULES, explain
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign, NumberFacts, Route
from tests.builders import BUSINESS, NOW, TRACKING, an_inbound_call, number_facts, route
from tests.routing import strategies

LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


def facts_of(route: Route | None, at: datetime = NOW) -> dict[str, str]:
    return dict(explain(Arrival(an_inbound_call(received_at=at), route, Source.INDEX)).facts)


def test_every_reason_has_a_rule() -> None:
    assert set(_RULES) == set(Reason)


@given(st.builds(Arrival, strategies.calls, st.none() | strategies.routes(), st.sampled_from(Source)))
def test_any_call_is_explained_as_it_was_decided(arrival: Arrival) -> None:
    explanation = explain(arrival)
    assert explanation.reason == arrival.decision.reason
    assert explanation.rule == _RULES[arrival.decision.reason]
    assert explanation.source == arrival.source
    assert explanation.at == arrival.call.received_at
    names = [name for name, _ in explanation.facts]
    assert len(names) == len(set(names))


def test_a_number_alone_tells_its_own_facts() -> None:
    facts = facts_of(Route(NumberFacts(TRACKING, 11, 3, None, released=True)))
    assert facts == {"tracking number": f"{TRACKING.e164} (id 11, revision 3)", "status": "released"}


def test_an_unknown_number_has_no_facts() -> None:
    assert facts_of(None) == {}


def test_a_campaign_tells_what_the_decision_saw() -> None:
    facts = facts_of(route(external_id="LEAFLET-1"))
    assert facts["campaign"] == "id 7, revision 1"
    assert (facts["state"], facts["enabled"], facts["ends"]) == ("live", "yes", "never")
    assert facts["starts"] == "2026-03-03T12:00:00Z"
    assert facts["external ID"] == "LEAFLET-1"
    assert facts["destination"] == facts["connects to"] == BUSINESS.e164
    assert "referral window closes" not in facts


def test_a_destination_of_its_own_is_told_beside_the_campaign_s() -> None:
    own = PhoneNumber("+14155550199")
    facts = facts_of(Route(number_facts(destination=own), route().campaign))
    assert (facts["own destination"], facts["destination"], facts["connects to"]) == (
        own.e164,
        BUSINESS.e164,
        own.e164,
    )


@pytest.mark.parametrize(
    ("ends_at", "closes"),
    [
        (NOW, "2026-04-03T12:00:00Z"),
        (LAST_INSTANT - timedelta(days=30), "9999-12-31T23:59:59Z"),
        (LAST_INSTANT - timedelta(days=30) + timedelta(microseconds=1), "beyond the calendar"),
        (LAST_INSTANT, "beyond the calendar"),
    ],
)
def test_the_end_of_the_referral_window_is_told(ends_at: datetime, closes: str) -> None:
    ended = route(ends_at=ends_at, end_of_campaign=EndOfCampaign.REFERRAL, referral_included=True)
    assert facts_of(ended)["referral window closes"] == closes


def test_a_referral_tells_whom_to_call() -> None:
    said = {"end_of_campaign": EndOfCampaign.REFERRAL, "referral_included": True, "ends_at": NOW}
    assert facts_of(route(**said, business_number=BUSINESS))["refers to"] == BUSINESS.e164
    assert "refers to" not in facts_of(route(**said))

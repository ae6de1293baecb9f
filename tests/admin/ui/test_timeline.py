"""The life of a campaign in spans, held against the decision at every edge."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.ui import timeline
from routing.policy import State, state_of
from routing.route import CampaignFacts, EndOfCampaign
from tests.builders import NOW, campaign_facts

_STATES = [State.SCHEDULED, State.LIVE, State.REFERRAL, State.ENDED]


@st.composite
def campaigns(draw: st.DrawFn) -> CampaignFacts:
    starts = NOW + timedelta(hours=draw(st.integers(-2000, 2000)))
    lasts = draw(st.none() | st.integers(1, 2000))
    return campaign_facts(
        starts_at=starts,
        ends_at=None if lasts is None else starts + timedelta(hours=lasts),
        enabled=draw(st.booleans()),
        archived=draw(st.booleans()),
        end_of_campaign=draw(st.sampled_from(EndOfCampaign)),
        referral_included=draw(st.booleans()),
    )


@given(campaigns())
def test_spans_follow_each_other_and_tell_the_state_of_all_their_instants(campaign: CampaignFacts) -> None:
    spans = timeline.spans(campaign, NOW)
    assert [span.is_now for span in spans].count(True) == 1
    assert spans[0].begins is None
    assert spans[-1].ends is None
    for span, following in itertools.pairwise(spans):
        assert span.ends == following.begins
    for span in spans:
        for moment in (span.begins, span.ends and span.ends - timedelta(microseconds=1)):
            if moment is not None:
                assert state_of(campaign, moment) is span.state


def test_a_campaign_that_refers_has_four_spans() -> None:
    facts = campaign_facts(ends_at=NOW, end_of_campaign=EndOfCampaign.REFERRAL, referral_included=True)
    assert [span.state for span in timeline.spans(facts, NOW)] == _STATES


@pytest.mark.parametrize("included", [True, False])
def test_what_callers_hear_follows_the_plan(*, included: bool) -> None:
    facts = campaign_facts(ends_at=NOW, end_of_campaign=EndOfCampaign.REFERRAL, referral_included=included)
    heard = timeline.to_come(facts, NOW)[0].heard
    assert ("which business number" in heard) is included
    assert ("plan" in heard) is not included

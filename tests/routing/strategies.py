"""Hypothesis strategies for facts, calls and instants, over the whole range of each."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from routing.call import InboundCall
from routing.numbers import PhoneNumber
from routing.route import (
    CallerId,
    CampaignFacts,
    EndOfCampaign,
    NumberFacts,
    RecordedPrompt,
    Route,
    SpokenPrompt,
)

ids = st.integers(1, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
instants: st.SearchStrategy[datetime] = st.datetimes(timezones=st.just(UTC))
phones = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(PhoneNumber)

prompts = st.one_of(
    st.builds(SpokenPrompt, texts, st.none() | texts, st.none() | texts),
    st.builds(RecordedPrompt, ids, texts, texts, texts),
)

campaigns = st.builds(
    CampaignFacts,
    campaign_id=ids,
    revision=ids,
    group_id=ids,
    starts_at=instants,
    ends_at=st.none() | instants,
    enabled=st.booleans(),
    archived=st.booleans(),
    end_of_campaign=st.sampled_from(EndOfCampaign),
    referral_included=st.booleans(),
    external_id=st.none() | texts,
    business_name=texts,
    business_number=st.none() | phones,
    destination=st.none() | phones,
    prompt=st.none() | prompts,
)

numbers = st.builds(
    NumberFacts,
    number=phones,
    number_id=ids,
    revision=ids,
    campaign_id=st.none() | ids,
    group_id=st.none() | ids,
    released=st.booleans(),
    destination=st.none() | phones,
    whisper=st.none() | texts,
    ring_timeout=st.none() | st.integers(1, 600),
    record_calls=st.booleans(),
    caller_id=st.sampled_from(CallerId),
)

calls = st.builds(
    InboundCall,
    carrier=texts,
    call_sid=texts,
    received_at=instants,
    dialled=st.none() | phones,
    dialled_text=texts,
    caller=st.none() | phones,
    caller_city=st.none() | texts,
    caller_state=st.none() | texts,
    caller_country=st.none() | texts,
    attestation=st.none() | texts,
    forwarded_from=st.none() | phones,
)


@st.composite
def routes(draw: st.DrawFn) -> Route:
    """A number with its own campaign, or without any."""
    campaign = draw(st.none() | campaigns)
    number = draw(numbers)
    return Route(
        NumberFacts(
            number=number.number,
            number_id=number.number_id,
            revision=number.revision,
            campaign_id=None if campaign is None else campaign.campaign_id,
            group_id=number.group_id,
            released=draw(st.sampled_from([False, False, False, True])),
            destination=draw(st.sampled_from([number.destination, number.number, None])),
            whisper=number.whisper,
            ring_timeout=number.ring_timeout,
            record_calls=number.record_calls,
            caller_id=number.caller_id,
        ),
        campaign,
    )

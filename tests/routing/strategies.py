"""Hypothesis strategies for facts, calls and instants, over the whole range of each."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from routing.blocks import Block, CallerPattern
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

group_ids = st.lists(st.integers(1, 9), max_size=3).map(tuple)
prefixes = st.from_regex(r"\+[1-9][0-9]{0,13}\*", fullmatch=True)
patterns = st.one_of(
    st.just(CallerPattern("anonymous")),
    phones.map(lambda phone: CallerPattern(phone.e164)),
    prefixes.map(CallerPattern),
)
blocks = st.builds(
    Block, block_id=ids, group_id=st.integers(1, 9), pattern=patterns, expires_at=st.none() | instants
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
    groups_above=group_ids,
    countries=st.none() | st.sampled_from([("US",), ("CA", "GB", "US")]),
    talk_limit=st.none() | st.integers(1, 20_000),
    destination_is_ours=st.booleans(),
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
    groups_above=group_ids,
    destination_is_ours=st.booleans(),
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
    """A number with its own campaign, or without any, and what its groups have against the caller."""
    campaign = draw(st.none() | campaigns)
    number = draw(numbers)
    route = Route(
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
            groups_above=number.groups_above,
        ),
        campaign,
    )
    fitting = draw(st.lists(blocks, max_size=3, unique_by=lambda block: block.block_id))
    if not route.groups:
        return route
    return route.facing(replace(b, group_id=draw(st.sampled_from(route.groups))) for b in fitting)

"""The written form of facts and calls: it comes back unchanged, or not at all, and stays small."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.call import InboundCall
from routing.encoding import (
    Unreadable,
    decode_call,
    decode_campaign,
    decode_number,
    encode_call,
    encode_campaign,
    encode_number,
)
from routing.route import CampaignFacts, EndOfCampaign, NumberFacts, RecordedPrompt, SpokenPrompt
from tests.routing import strategies
from tests.routing.facts import BUSINESS, NOW, TRACKING, a_call, a_campaign, a_number

READERS = [decode_campaign, decode_call, lambda raw: decode_number(TRACKING, raw)]
READER_NAMES = ["campaign", "call", "number"]
SMALLEST_CAMPAIGN = {"id": 7, "group": 3, "starts": "2026-03-04T12:00:00Z"}


def written(revision: object = 1, **members: object) -> bytes:
    """A campaign as some other version might have written it."""
    return f"{revision} {json.dumps(SMALLEST_CAMPAIGN | members)}".encode()


@given(strategies.campaigns)
def test_a_campaign_comes_back_as_it_was(facts: CampaignFacts) -> None:
    assert decode_campaign(encode_campaign(facts)) == facts


@given(strategies.numbers)
def test_a_number_comes_back_as_it_was(facts: NumberFacts) -> None:
    assert decode_number(facts.number, encode_number(facts)) == facts


@given(strategies.calls)
def test_a_call_comes_back_as_it_was(call: InboundCall) -> None:
    assert decode_call(encode_call(call)) == call


@given(strategies.campaigns, strategies.numbers)
def test_equal_facts_are_written_in_equal_bytes(campaign: CampaignFacts, number: NumberFacts) -> None:
    assert encode_campaign(decode_campaign(encode_campaign(campaign))) == encode_campaign(campaign)
    again = encode_number(decode_number(number.number, encode_number(number)))
    assert again == encode_number(number)


@given(strategies.campaigns, strategies.numbers)
def test_revision_and_campaign_can_be_read_without_json(campaign: CampaignFacts, number: NumberFacts) -> None:
    assert int(encode_campaign(campaign).split(b" ")[0]) == campaign.revision
    revision, campaign_id = encode_number(number).split(b" ")[:2]
    assert (int(revision), int(campaign_id)) == (number.revision, number.campaign_id or 0)


def test_a_plain_number_with_ids_of_seven_digits_takes_at_most_24_bytes() -> None:
    plain = a_number(campaign_id=7_654_321, number_id=7_654_321, revision=7_654_321)
    assert len(encode_number(plain)) <= 24


@pytest.mark.parametrize(
    ("prompt", "tag"), [(SpokenPrompt(), "spoken"), (RecordedPrompt(1, "ab"), "recorded"), (None, None)]
)
def test_prompts_keep_their_kind(prompt: SpokenPrompt | RecordedPrompt | None, tag: str | None) -> None:
    raw = encode_campaign(a_campaign(prompt=prompt))
    assert decode_campaign(raw).prompt == prompt
    assert (tag or "no prompt").encode() in raw or prompt is None


def test_instants_are_read_as_utc_in_whatever_zone_they_were_written() -> None:
    local = NOW.astimezone(ZoneInfo("America/New_York"))
    facts = decode_campaign(encode_campaign(a_campaign(starts_at=local, ends_at=local)))
    assert (facts.starts_at, facts.ends_at) == (NOW, NOW)
    assert facts.starts_at.tzinfo is UTC
    call = decode_call(encode_call(a_call(received_at=local)))
    assert call.received_at == NOW
    assert call.received_at.utcoffset() == timedelta()


def test_microseconds_survive() -> None:
    starts_at = datetime(2026, 3, 4, 11, 59, 59, 999999, tzinfo=UTC)
    assert decode_campaign(encode_campaign(a_campaign(starts_at=starts_at))).starts_at == starts_at


@pytest.mark.parametrize("member", ["starts", "ends"])
def test_an_instant_without_offset_is_refused(member: str) -> None:
    with pytest.raises(Unreadable):
        decode_campaign(written(**{member: "2026-03-04T12:00:00"}))
    with pytest.raises(Unreadable):
        decode_call(b'{"carrier":"twilio","sid":"CA1","at":"2026-03-04T12:00:00"}')


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
def test_an_instant_outside_the_calendar_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        decode_campaign(written(starts=text))
    with pytest.raises(Unreadable):
        decode_call(json.dumps({"carrier": "twilio", "sid": "CA1", "at": text}).encode())


def test_members_of_a_newer_version_are_ignored() -> None:
    facts = decode_campaign(written(3, mood={"happy": [1, None, "x"]}, enabled=False))
    assert (facts.campaign_id, facts.revision, facts.enabled) == (7, 3, False)
    number = decode_number(TRACKING, b'5 7 11 {"whisper":"hi","colour":"red"}')
    assert number == a_number(revision=5, whisper="hi")
    call = decode_call(b'{"carrier":"twilio","sid":"CA1","at":"2026-03-04T12:00:00Z","planet":[["Mars"]]}')
    assert call == a_call(None, caller=None)


def test_members_that_an_older_version_did_not_write_take_their_default() -> None:
    assert decode_campaign(written()) == CampaignFacts(7, 1, 3, NOW)
    assert decode_number(TRACKING, b"1 0 11 {}") == a_number(campaign_id=None)
    prompt = decode_campaign(written(prompt={"type": "recorded", "prompt_id": 4, "digest": "ab"})).prompt
    assert prompt == RecordedPrompt(4, "ab")
    assert decode_campaign(written(prompt={"type": "spoken"})).prompt == SpokenPrompt()


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"1", b"1 ", b"{}", b"1 {}", b"1 []", b"1 null", b'1 "x"', b"x " + written()[2:]),
        *(written()[2:], written(1.5), written("--1"), written(id="7"), written(id=None), written(id=1.5)),
        *(written(starts=None), written(starts=0), written(starts="yesterday"), written(starts="2026-03-04")),
        *(written(destination="555-0100"), written(destination=""), written(business_number="None")),
        *(written(end_of_campaign="party"), written(enabled="yes"), written(enabled=1), written(prompt="hi")),
        *(written(prompt={"type": "sung"}), written(prompt={}), written(prompt={"type": "recorded"})),
        *(written() + b"}", written() + written(), written().replace(b"7", b"7\xff"), b"\x80\x04K\x01."),
        *(b"\xff\xfe\x00", b"1 " + b"[" * 100_000, b'1 {"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        *(b"9" * 5000 + written()[1:], b'1 {"id":7,"group":3,"starts":"2026-03-04T12:00:00Z","x":\xff}'),
    ],
)
def test_what_is_no_campaign_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_campaign(raw)


@pytest.mark.parametrize(
    "raw",
    [
        *(
            b"",
            b" ",
            b"1",
            b"1 7",
            b"1 7 ",
            b"7 11",
            b"a b c",
            b"1 7 11 ",
            b"1 7 11 {",
            b"1 7 11 []",
            b"1 7 x {}",
        ),
        *(b'1 7 11 {"destination":"+1"}', b'1 7 11 {"destination":""}', b'1 7 11 {"released":"no"}'),
        *(b'1 7 11 {"caller_id":"nobody"}', b'1 7 11 {"ring_timeout":"20"}', b"1 7 11 {} {}", b"1  7 11"),
        *(b'{"campaign":7}', b"\x82\xa1a\x01", b'1 7 11 {"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
def test_what_is_no_number_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_number(TRACKING, raw)


@settings(max_examples=60)
@given(strategies.campaigns, strategies.calls, st.data())
def test_what_was_cut_off_is_unreadable(
    campaign: CampaignFacts, call: InboundCall, data: st.DataObject
) -> None:
    for raw, read in ((encode_campaign(campaign), decode_campaign), (encode_call(call), decode_call)):
        cut = data.draw(st.integers(0, len(raw) - 1))
        with pytest.raises(Unreadable):
            read(raw[:cut])


def test_a_number_cut_off_inside_its_own_facts_is_unreadable() -> None:
    raw = encode_number(a_number(destination=BUSINESS, released=True))
    start = raw.index(b"{")
    for cut in range(start, len(raw)):
        with pytest.raises(Unreadable):
            decode_number(TRACKING, raw[:cut])


@pytest.mark.parametrize("read", READERS, ids=READER_NAMES)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_facts_or_unreadable(read: object, raw: bytes) -> None:
    _facts_or_unreadable(read, raw)


@settings(max_examples=60)
@pytest.mark.parametrize("read", READERS, ids=READER_NAMES)
@given(campaign=strategies.campaigns, number=strategies.numbers, call=strategies.calls, data=st.data())
def test_damaged_facts_are_facts_or_unreadable(
    read: object, campaign: CampaignFacts, number: NumberFacts, call: InboundCall, data: st.DataObject
) -> None:
    wholes = [encode_campaign(campaign), encode_number(number), encode_call(call)]
    raw = bytearray(data.draw(st.sampled_from(wholes)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    _facts_or_unreadable(read, bytes(raw))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | strategies.instants.map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    [
        "id",
        "group",
        "starts",
        "ends",
        "enabled",
        "prompt",
        "destination",
        "sid",
        "carrier",
        "at",
        "to",
        "caller",
    ]
)


@settings(max_examples=60)
@pytest.mark.parametrize("read", READERS, ids=READER_NAMES)
@given(
    head=st.sampled_from(["", "1 ", "1 7 11 ", "-1 ", "0 0 0 "]),
    base=st.sampled_from([{}, SMALLEST_CAMPAIGN, {"carrier": "x", "sid": "y", "at": "2026-03-04T12:00:00Z"}]),
    odd=st.dictionaries(members, json_values, max_size=3),
)
def test_odd_json_is_facts_or_unreadable(
    read: object, head: str, base: dict[str, object], odd: dict[str, object]
) -> None:
    _facts_or_unreadable(read, f"{head}{json.dumps(base | odd)}".encode())


def test_a_campaign_is_remembered_by_its_bytes_not_by_its_id() -> None:
    before = decode_campaign(encode_campaign(a_campaign(revision=1)))
    after = decode_campaign(encode_campaign(a_campaign(revision=2, end_of_campaign=EndOfCampaign.REFERRAL)))
    assert before.campaign_id == after.campaign_id
    assert (before.revision, after.revision) == (1, 2)


def test_unreadable_facts_do_not_repeat_what_they_were() -> None:
    with pytest.raises(Unreadable) as refusal:
        decode_campaign(written(destination="+1415555010x"))
    assert "415555" not in str(refusal.value)


def _facts_or_unreadable(read: object, raw: bytes) -> None:
    assert callable(read)
    try:
        facts = read(raw)
    except Unreadable:
        return
    assert isinstance(facts, CampaignFacts | NumberFacts | InboundCall)
    if isinstance(facts, CampaignFacts):
        assert facts.starts_at.utcoffset() == timedelta()

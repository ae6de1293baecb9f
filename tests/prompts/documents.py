"""TwiML read back as the carrier reads it, and strategies for whatever facts may hold."""

import xml.etree.ElementTree as ET

from hypothesis import strategies as st

from routing.decision import Apologise, Connect, Reason, Refer, Reject
from routing.numbers import PhoneNumber
from routing.route import CallerId, RecordedPrompt, SpokenPrompt

CARRIER_LIMIT = 64_000

INJECTION = "</Say><Dial>+19005550100</Dial><Say>"
HOSTILE_TEXTS = [
    INJECTION,
    "Müller & Söhne <GmbH> \"'",
    "Pizza 🍕🍕",
    "nul\x00tab\x0bfe\ufffeff\uffff",
    "lone \ud800 and \udfff",
    "]]><!--<?xml?>&amp;&#0;",
    "x" * 70_000,
    "&" * 70_000,
    "🍕" * 70_000,
    " " * 500,
    "{name} {0} %s",
]

# Code points one by one, so that lone surrogates come too.
texts = st.sampled_from(HOSTILE_TEXTS) | st.text(
    alphabet=st.integers(0, 0x10FFFF).map(chr) | st.sampled_from("<>&\"'\x00\x0b\ufffe\ud800é🍕"),
    max_size=300,
)
languages = st.sampled_from(["en", "es", "fr", "de", "fr-CA", "xx", ""]) | texts
numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(PhoneNumber)
spoken_prompts = st.builds(SpokenPrompt, language=languages, voice=st.none() | texts, text=st.none() | texts)
recorded_prompts = st.builds(
    RecordedPrompt,
    prompt_id=st.integers(1, 10**9),
    digest=st.from_regex(r"[0-9a-f]{64}", fullmatch=True) | texts,
    extension=st.just("wav") | texts,
    language=languages,
)
connections = st.builds(
    Connect,
    destination=numbers,
    tracking_number=numbers,
    caller_id=st.sampled_from(CallerId),
    ring_timeout=st.none() | st.integers(-(10**6), 10**6),
    record=st.booleans(),
    whispering_number_id=st.none() | st.integers(1, 10**9),
    language=languages,
)
referrals = st.builds(
    Refer,
    business_name=texts,
    business_number=st.none() | numbers,
    prompt=spoken_prompts | recorded_prompts,
)
rejections = st.builds(Reject, reason=st.sampled_from(Reason))
apologies = st.builds(Apologise, language=languages)
decisions = connections | referrals | rejections | apologies


def parsed(document: bytes) -> ET.Element:
    return ET.fromstring(document)


def read(document: bytes) -> ET.Element:
    """The `<Response>`, after the checks that hold for every document."""
    assert document.startswith(b"<?xml")
    assert len(document) <= CARRIER_LIMIT
    root = parsed(document)
    assert root.tag == "Response"
    return root


def verbs(document: bytes) -> list[str]:
    return [verb.tag for verb in read(document)]


def said(document: bytes) -> list[str]:
    return [verb.text or "" for verb in read(document) if verb.tag == "Say"]

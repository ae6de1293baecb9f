"""From decisions to TwiML, read back as the carrier reads it."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prompts import connect, phrases, referral, saying, whisper
from prompts.render import LAST_RESORT, Renderer
from routing.decision import Apologise, Connect, Decision, Reason, Refer, Reject
from routing.numbers import PhoneNumber
from routing.route import CallerId, RecordedPrompt, SpokenPrompt
from tests.prompts.documents import (
    HOSTILE_TEXTS,
    apologies,
    connections,
    decisions,
    read,
    referrals,
    rejections,
    said,
    texts,
    verbs,
)

BUSINESS = PhoneNumber("+14155550100")
TRACKING = PhoneNumber("+14155550199")
CONNECT = Connect(destination=BUSINESS, tracking_number=TRACKING)
REFER = Refer(business_name="Acme", business_number=BUSINESS, prompt=SpokenPrompt())
DIGEST = "0123456789abcdef" * 4

plain = Renderer("https://calls.example.com/")
reporting = Renderer("https://calls.example.com", callbacks=True)


def dial_of(document: bytes) -> ET.Element:
    dials = read(document).findall("Dial")
    assert len(dials) == 1
    return dials[0]


def number_of(document: bytes) -> ET.Element:
    (number,) = dial_of(document)
    assert number.tag == "Number"
    return number


# Every decision


@given(decision=decisions, caller_withheld=st.booleans(), renderer=st.sampled_from([plain, reporting]))
def test_every_decision_is_a_document_that_the_carrier_can_read(
    decision: Decision,
    caller_withheld: bool,  # noqa: FBT001
    renderer: Renderer,
) -> None:
    root = read(renderer.twiml(decision, caller_withheld=caller_withheld))
    assert len(root) > 0
    assert all(verb.tag in {"Say", "Play", "Pause", "Dial", "Reject", "Hangup"} for verb in root)


@given(decision=decisions, caller_withheld=st.booleans())
def test_rendering_twice_gives_the_identical_object(decision: Decision, caller_withheld: bool) -> None:  # noqa: FBT001
    first = plain.twiml(decision, caller_withheld=caller_withheld)
    assert plain.twiml(replace(decision), caller_withheld=caller_withheld) is first


def test_a_withheld_caller_is_not_given_the_document_of_another() -> None:
    shown = plain.twiml(CONNECT, caller_withheld=False)
    assert plain.twiml(CONNECT, caller_withheld=True) != shown


# Connecting


@given(decision=connections, caller_withheld=st.booleans())
def test_a_connection_dials_the_destination_once(decision: Connect, caller_withheld: bool) -> None:  # noqa: FBT001
    document = plain.twiml(decision, caller_withheld=caller_withheld)
    assert number_of(document).text == decision.destination.e164
    dial = dial_of(document)
    assert dial.get("answerOnBridge") == "true"
    assert 5 <= int(dial.get("timeout", "")) <= 600
    if decision.record:
        assert verbs(document) == ["Say", "Dial"]
        assert dial.get("record") == "record-from-answer-dual"
    else:
        assert verbs(document) == ["Dial"]
        assert not [name for name in dial.keys() if "record" in name.lower()]  # noqa: SIM118


@pytest.mark.parametrize("language", phrases.LANGUAGES)
def test_the_announcement_comes_before_a_recorded_call(language: str) -> None:
    document = plain.twiml(replace(CONNECT, record=True, language=language), caller_withheld=False)
    assert said(document) == [phrases.of(language).consent]
    assert read(document)[0].get("language") == phrases.of(language).twiml_language


def test_the_business_sees_the_caller() -> None:
    assert dial_of(plain.twiml(CONNECT, caller_withheld=False)).get("callerId") is None


def test_the_business_sees_the_tracking_number_where_it_asked_for_it() -> None:
    decision = replace(CONNECT, caller_id=CallerId.TRACKING_NUMBER)
    assert dial_of(plain.twiml(decision, caller_withheld=False)).get("callerId") == TRACKING.e164


@pytest.mark.parametrize("policy", CallerId)
def test_the_business_sees_the_tracking_number_for_a_withheld_caller(policy: CallerId) -> None:
    decision = replace(CONNECT, caller_id=policy)
    assert dial_of(plain.twiml(decision, caller_withheld=True)).get("callerId") == TRACKING.e164


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, 14_400),
        (1, 60),
        (59, 60),
        (60, 60),
        (61, 61),
        (14_399, 14_399),
        (14_400, 14_400),
        (14_401, 14_400),
    ],
)
def test_the_talk_limit_is_always_said_and_within_what_the_carrier_takes(
    asked: int | None, told: int
) -> None:
    dial = dial_of(plain.twiml(replace(CONNECT, talk_limit=asked), caller_withheld=False))
    assert dial.get("timeLimit") == str(told)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, connect.RING_TIMEOUT),
        (4, 5),
        (5, 5),
        (6, 6),
        (599, 599),
        (600, 600),
        (601, 600),
        (0, 5),
        (-1, 5),
    ],
)
def test_the_ring_timeout_stays_within_what_the_carrier_takes(asked: int | None, told: int) -> None:
    dial = dial_of(plain.twiml(replace(CONNECT, ring_timeout=asked), caller_withheld=False))
    assert dial.get("timeout") == str(told)


def test_no_reports_are_asked_for_unless_turned_on() -> None:
    document = plain.twiml(replace(CONNECT, record=True, whispering_number_id=7), caller_withheld=False)
    assert b"http" not in document


def test_reports_go_to_the_public_address() -> None:
    document = reporting.twiml(replace(CONNECT, record=True, whispering_number_id=7), caller_withheld=False)
    base = "https://calls.example.com/webhooks/twilio"
    dial, number = dial_of(document), number_of(document)
    assert dial.get("action") == f"{base}/dial"
    assert dial.get("recordingStatusCallback") == f"{base}/recording"
    assert number.get("url") == f"{base}/whisper/7"
    assert number.get("statusCallback") == f"{base}/status"
    assert number.get("statusCallbackEvent") == "initiated ringing answered completed"


def test_reports_name_the_carrier_and_nothing_that_was_not_asked_for() -> None:
    document = Renderer("https://x.example", "signalwire", callbacks=True).twiml(
        CONNECT, caller_withheld=False
    )
    dial, number = dial_of(document), number_of(document)
    assert dial.get("action") == "https://x.example/webhooks/signalwire/dial"
    assert dial.get("recordingStatusCallback") is None
    assert number.get("url") is None


# Referring


@given(decision=referrals)
def test_a_referral_says_or_plays_its_prompt_and_hangs_up(decision: Refer) -> None:
    document = plain.twiml(decision, caller_withheld=False)
    assert re.fullmatch(r"Play Hangup|(Say )+Pause (Say )+Hangup", " ".join(verbs(document)))
    words = said(document)
    assert words[: len(words) // 2] == words[len(words) // 2 :]


@given(name=texts, language=st.sampled_from(phrases.LANGUAGES), has_number=st.booleans())
def test_any_business_name_is_one_saying_without_a_new_verb(
    name: str,
    language: str,
    has_number: bool,  # noqa: FBT001
) -> None:
    decision = Refer(name, BUSINESS if has_number else None, SpokenPrompt(language))
    document = plain.twiml(decision, caller_withheld=False)
    assert verbs(document) == ["Say", "Pause", "Say", "Hangup"]
    assert not any(len(verb) for verb in read(document))
    assert ("4 1 5, 5 5 5, 0 1 0 0" in said(document)[0]) == (has_number or "4 1 5, 5 5 5, 0 1 0 0" in name)


@pytest.mark.parametrize("language", phrases.LANGUAGES)
def test_a_referral_names_business_and_number_in_every_language(language: str) -> None:
    document = plain.twiml(replace(REFER, prompt=SpokenPrompt(language)), caller_withheld=False)
    expected = phrases.of(language).referral("Acme", "4 1 5, 5 5 5, 0 1 0 0")
    assert said(document) == [expected, expected]
    spoken = read(document).findall("Say")
    assert {say.get("language") for say in spoken} == {phrases.of(language).twiml_language}
    assert {say.get("voice") for say in spoken} == {None}


def test_an_operators_own_text_replaces_the_wording() -> None:
    document = plain.twiml(
        replace(REFER, prompt=SpokenPrompt(text="We have <moved>.")), caller_withheld=False
    )
    assert said(document) == ["We have <moved>."] * 2


@pytest.mark.parametrize("text", ["", "  \n", "\x00\ud800"])
def test_a_text_that_says_nothing_leaves_the_standard_wording(text: str) -> None:
    document = plain.twiml(replace(REFER, prompt=SpokenPrompt(text=text)), caller_withheld=False)
    assert said(document) == said(plain.twiml(REFER, caller_withheld=False))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_the_longest_and_worst_texts_stay_below_the_carriers_limit(text: str) -> None:
    decision = Refer(text, BUSINESS, SpokenPrompt(language=text, voice=text, text=text))
    document = plain.twiml(decision, caller_withheld=False)
    assert set(verbs(document)) == {"Say", "Pause", "Hangup"}
    assert all(len(piece.encode()) <= 3_000 for piece in said(document))


def test_a_recording_is_played_instead_of_words() -> None:
    document = plain.twiml(replace(REFER, prompt=RecordedPrompt(12, DIGEST)), caller_withheld=False)
    assert verbs(document) == ["Play", "Hangup"]
    assert read(document)[0].text == f"https://calls.example.com/prompts/12/{DIGEST}.wav"


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a b", "é", "x" * 70_000, "?q=1"])
def test_a_recording_without_a_proper_name_is_replaced_by_words(digest: str) -> None:
    document = plain.twiml(
        replace(REFER, prompt=RecordedPrompt(12, digest, language="fr")), caller_withheld=False
    )
    assert said(document) == [phrases.of("fr").referral("Acme", "4 1 5, 5 5 5, 0 1 0 0")] * 2


# Voices


@pytest.mark.parametrize(
    ("voice", "attributes"),
    [
        (None, (None, "es-ES")),
        ("", (None, "es-ES")),
        ("man", ("man", "es")),
        ("woman", ("woman", "es")),
        ("Polly.Lupe", ("Polly.Lupe", None)),
        ("Polly.Lupe-Neural", ("Polly.Lupe-Neural", None)),
        ("Google.es-US-Standard-A", ("Google.es-US-Standard-A", "es-US")),
        ("Joanna", (None, "es-ES")),
        ('Polly."/><Dial>', (None, "es-ES")),
        ("Polly." + "x" * 70_000, (None, "es-ES")),
    ],
)
def test_a_voice_and_its_language_go_together(voice: str | None, attributes: tuple[str | None, str]) -> None:
    assert saying.voice_and_language(voice, "es") == attributes


def test_a_named_voice_speaks_the_referral() -> None:
    prompt = SpokenPrompt("en", voice="Polly.Joanna")
    spoken = read(plain.twiml(replace(REFER, prompt=prompt), caller_withheld=False)).findall("Say")
    assert [say.get("voice") for say in spoken] == ["Polly.Joanna"] * 2


# Rejecting and apologising


@given(decision=rejections, caller_withheld=st.booleans())
def test_a_rejection_is_the_only_verb(decision: Reject, caller_withheld: bool) -> None:  # noqa: FBT001
    (reject,) = read(plain.twiml(decision, caller_withheld=caller_withheld))
    assert reject.tag == "Reject"
    assert reject.attrib == {"reason": "rejected"}


@given(decision=apologies)
def test_an_apology_is_said_and_the_call_ended(decision: Apologise) -> None:
    document = plain.twiml(decision, caller_withheld=False)
    assert verbs(document) == ["Say", "Hangup"]
    assert said(document) == [phrases.of(decision.language).apology]


def test_a_campaign_without_a_destination_apologises_in_its_language() -> None:
    document = plain.twiml(Apologise(Reason.NO_DESTINATION, "de"), caller_withheld=False)
    assert said(document) == [phrases.of("de").apology]


def test_the_last_resort_apologises() -> None:
    assert verbs(LAST_RESORT) == ["Say", "Hangup"]
    assert said(LAST_RESORT) == [phrases.of("en").apology]


# Whispering


@given(text=texts)
def test_a_whisper_only_says(text: str) -> None:
    document = whisper.twiml(text, "de")
    assert set(verbs(document)) <= {"Say"}
    assert len("".join(said(document))) <= 500


def test_a_whisper_says_its_text() -> None:
    assert said(whisper.twiml("Call from the spring campaign")) == ["Call from the spring campaign"]


def test_a_blank_whisper_bridges_at_once() -> None:
    assert verbs(whisper.twiml(" \x00")) == []


# Weight


def test_rendering_loads_neither_the_rest_client_nor_audio() -> None:
    program = (
        "import sys, prompts.render, prompts.recording\n"
        "heavy = ('twilio.rest', 'requests', 'aiohttp', 'numpy', 'soundfile', 'phonenumbers.geocoder')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


# Own words


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Ring {business_number}.", "Ring 4 1 5, 5 5 5, 0 1 0 0."),
        ("{business_name} has moved: {business_number}.", "Acme has moved: 4 1 5, 5 5 5, 0 1 0 0."),
        ("{business_name}, {business_name}", "Acme, Acme"),
        ("No {place} at all", "No {place} at all"),
        ("Gone.", "Gone."),
    ],
)
def test_own_words_name_the_business_of_the_campaign(text: str, heard: str) -> None:
    assert referral.words(replace(REFER, prompt=SpokenPrompt(text=text))) == heard


def test_a_number_in_own_words_is_spoken_in_their_language() -> None:
    own = SpokenPrompt("de", None, "Rufen Sie {business_number} an.")
    assert (
        referral.words(replace(REFER, business_number=PhoneNumber("+493012345678"), prompt=own))
        == "Rufen Sie plus 4 9, 3 0, 1 2 3 4, 5 6 7 8 an."
    )


@pytest.mark.parametrize("text", ["Ring {business_number}.", "{business_name}: {business_number}"])
def test_own_words_that_name_what_is_not_known_give_way_to_the_standard_wording(text: str) -> None:
    refer = Refer("", None, SpokenPrompt("en", None, text))
    assert referral.words(refer) == phrases.of("en").ended


def test_a_business_that_is_named_like_a_place_is_said_as_it_is() -> None:
    refer = replace(
        REFER, business_name="{business_number}", prompt=SpokenPrompt(text="Ask {business_name}.")
    )
    assert referral.words(refer) == "Ask {business_number}."

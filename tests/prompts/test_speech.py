"""Text made fit for a voice."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import phrases, speech
from routing.numbers import PhoneNumber
from tests.prompts.documents import numbers, parsed, texts


@pytest.mark.parametrize(
    ("number", "language", "spoken"),
    [
        ("+14155550100", "en", "4 1 5, 5 5 5, 0 1 0 0"),
        ("+14155550100", "de", "4 1 5, 5 5 5, 0 1 0 0"),
        ("+442079460018", "en", "plus 4 4, 2 0, 7 9 4 6, 0 0 1 8"),
        ("+33142345678", "fr", "plus 3 3, 1, 4 2, 3 4, 5 6, 7 8"),
        ("+34912345678", "es", "más 3 4, 9 1 2, 3 4, 5 6, 7 8"),
        ("+493012345678", "de", "plus 4 9, 3 0, 1 2 3 4, 5 6 7 8"),
        ("+390612345678", "en", "plus 3 9, 0 6, 1 2 3 4, 5 6 7 8"),
        ("+999123456789", "en", "plus 9 9 9 1, 2 3 4 5, 6 7 8 9"),
        ("+1415555", "en", "plus 1, 4 1 5, 5 5 5"),
    ],
)
def test_numbers_are_read_in_the_grouping_people_know(number: str, language: str, spoken: str) -> None:
    assert speech.digits(PhoneNumber(number), language) == spoken


@given(number=numbers, language=st.sampled_from(phrases.LANGUAGES))
def test_no_two_digits_touch_and_none_is_lost(number: PhoneNumber, language: str) -> None:
    spoken = speech.digits(number, language)
    assert re.search(r"[0-9]{2}", spoken) is None
    read = "".join(re.findall(r"[0-9]", spoken))
    assert read in {number.digits, number.digits[1:]}
    assert (phrases.of(language).plus in spoken) == (read == number.digits)
    assert all(len(group.replace(" ", "")) <= 4 for group in re.sub(r"[^0-9, ]", "", spoken).split(","))


@given(text=texts, limit=st.integers(1, 5_000))
def test_cleaned_text_is_carried_by_xml_unchanged(text: str, limit: int) -> None:
    cleaned = speech.clean(text, limit)
    element = ET.Element("Say")
    element.text = cleaned
    assert (parsed(ET.tostring(element, encoding="utf-8")).text or "") == cleaned
    assert len(cleaned) <= limit
    assert cleaned == " ".join(cleaned.split())
    assert speech.clean(cleaned, limit) == cleaned


def test_cleaning_strips_what_cannot_be_spoken_and_keeps_words_apart() -> None:
    assert speech.clean(" Joe\x00's\x0bBar\n\n& Grill\ufffe \ud83d🍕 ", 200) == "Joe's Bar & Grill 🍕"


@given(text=texts, limit=st.integers(1, 5_000))
def test_accepted_text_is_said_as_it_was_accepted(text: str, limit: int) -> None:
    try:
        accepted = speech.speakable(text, limit)
    except speech.Unspeakable:
        assert speech.clean(text, limit) != text
    else:
        assert speech.clean(accepted, limit) == accepted
        assert accepted.split() == text.split()


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\x7f", "\x9f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_cannot_be_spoken_is_refused_and_named(character: str) -> None:
    with pytest.raises(speech.Unspeakable, match=f"U\\+{ord(character):04X}"):
        speech.speakable(f"Acme {character} Ltd", speech.BUSINESS_NAME_LIMIT)


@pytest.mark.parametrize(
    "text", ["Acme & Söhne <b>", "👩‍👩‍👧 Café", "two\r\nlines\tand a tab", "\ufffd\ue000\u00a0ok"]
)
def test_ordinary_text_is_accepted(text: str) -> None:
    assert speech.speakable(text, speech.BUSINESS_NAME_LIMIT)


@pytest.mark.parametrize(("length", "accepted"), [(199, True), (200, True), (201, False)])
def test_the_limit_itself_is_allowed(length: int, accepted: bool) -> None:  # noqa: FBT001
    if accepted:
        assert len(speech.speakable("x" * length, 200)) == length
    else:
        with pytest.raises(speech.Unspeakable, match="201 characters long, the limit is 200"):
            speech.speakable("x" * length, 200)


def test_all_faults_are_told_at_once_without_repeating_the_text() -> None:
    with pytest.raises(speech.Unspeakable) as refusal:
        speech.speakable("secret" + "".join(map(chr, range(1, 9))) * 40, 200)
    assert len(refusal.value.faults) == 2
    assert "and 3 more" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@given(text=texts)
def test_a_long_text_is_cut_into_pieces_that_say_all_of_it(text: str) -> None:
    cleaned = speech.clean(text, speech.PROMPT_TEXT_LIMIT)
    pieces = list(speech.pieces(cleaned))
    assert "".join(pieces).replace(" ", "") == cleaned.replace(" ", "")
    assert all(0 < len(piece.encode()) <= 3_000 for piece in pieces)


def test_a_long_text_is_cut_between_sentences() -> None:
    sentence = "We have moved to a larger shop around the corner."
    pieces = list(speech.pieces(" ".join([sentence] * 80)))
    assert len(pieces) > 1
    assert all(piece.startswith("We") and piece.endswith("corner.") for piece in pieces)


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    pieces = list(speech.pieces(" ".join(["forwarding"] * 360)))
    assert len(pieces) > 1
    assert {word for piece in pieces for word in piece.split()} == {"forwarding"}

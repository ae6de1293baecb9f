"""The standard wording."""

import hashlib

import pytest

from prompts import phrases

EVERY_LANGUAGE = pytest.mark.parametrize("language", phrases.LANGUAGES)


def test_four_languages_are_spoken() -> None:
    assert set(phrases.LANGUAGES) == {"en", "es", "fr", "de"}


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en-US"),
        ("es", "es-ES"),
        ("fr", "fr-FR"),
        ("de", "de-DE"),
        ("es-MX", "es-ES"),
        ("FR_ca", "fr-FR"),
    ],
)
def test_a_language_tag_finds_its_wording(tag: str, code: str) -> None:
    assert phrases.of(tag).twiml_language == code


@pytest.mark.parametrize("tag", ["", "it", "eng", "des", "-fr", "x" * 70_000])
def test_an_unknown_language_falls_back_to_english(tag: str) -> None:
    assert phrases.of(tag).language == "en"


@EVERY_LANGUAGE
def test_the_referral_names_what_is_known_and_nothing_else(language: str) -> None:
    wording = phrases.of(language)
    both = wording.referral("Acme", "4 1 5")
    assert "Acme" in both
    assert "4 1 5" in both
    assert "Acme" in wording.referral(name="Acme")
    assert "4 1 5" in wording.referral(number="4 1 5")
    assert wording.referral() == wording.ended
    for prompt in (both, wording.referral(name="Acme"), wording.referral(number="4 1 5")):
        assert prompt.startswith(wording.ended)
        assert "{" not in prompt


@EVERY_LANGUAGE
def test_every_language_has_its_own_words(language: str) -> None:
    english, wording = phrases.of("en"), phrases.of(language)
    texts = (wording.apology, wording.consent, wording.busy, wording.no_answer, wording.referral())
    assert all(text.endswith(".") for text in texts)
    if language != "en":
        assert not {english.apology, english.consent, english.busy, english.no_answer} & set(texts)


def test_the_consent_words_change_only_together_with_their_version() -> None:
    words = "\n".join(phrases.of(language).consent for language in phrases.LANGUAGES)
    assert (phrases.CONSENT_VERSION, hashlib.sha256(words.encode()).hexdigest()[:12]) == ("1", "32df2fc14e62")

"""A `<Say>` that does not fail: clean text, a language code and a voice that go together."""

import re

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases, speech

_BASIC = frozenset({"man", "woman"})
_POLLY = re.compile(r"Polly\.[A-Za-z]{2,30}(-[A-Za-z]{2,20})?")
_GOOGLE = re.compile(r"Google\.([a-z]{2,3}-[A-Z]{2})-[A-Za-z0-9-]{1,60}")


def say(response: VoiceResponse, text: str, language: str, voice: str | None = None) -> None:
    """Append `text` as one `<Say>`, or several where it is longer than the carrier takes in one.

    The text is cleaned and cut to `speech.PROMPT_TEXT_LIMIT`; of a blank one nothing is said.
    """
    voice, code = voice_and_language(voice, language)
    for piece in speech.pieces(speech.clean(text, speech.PROMPT_TEXT_LIMIT)):
        response.say(piece, voice=voice, language=code)


def voice_and_language(voice: str | None, language: str) -> tuple[str | None, str | None]:
    """The two attributes of `<Say>`, None to leave one out; a wrong pair may fail the whole `<Say>`.

    Without a voice the carrier picks one for the language. A Polly voice speaks its one language and a
    Google voice names it, so ours is not put beside them; the basic voices take two-letter codes. What
    does not look like a voice is left out. (twilio.com/docs/voice/twiml/say and its text-to-speech page)
    """
    wording = phrases.of(language)
    if voice in _BASIC:
        return voice, wording.language
    if voice and _POLLY.fullmatch(voice):
        return voice, None
    if voice and (named := _GOOGLE.fullmatch(voice)):
        return voice, named[1]
    return None, wording.twiml_language


def as_bytes(response: VoiceResponse) -> bytes:
    """The document as it is sent: UTF-8, the XML declaration first."""
    return str(response).encode()

"""Referring a caller: the number has ended, this is how to reach the business.

An operator's own words may name the business of the campaign: `{business_name}`, and `{business_number}`,
which is spoken digit by digit.
"""

import re

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases, speech
from prompts.saying import as_bytes, say
from routing.decision import Refer
from routing.route import RecordedPrompt, SpokenPrompt

PAUSE = 1
"""Seconds between the first and the second saying."""
PLACES = ("business_name", "business_number")
"""What own words may name, in braces."""
_PLACE = re.compile(r"\{(\w+)\}")
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,128}")


def twiml(decision: Refer, public_base_url: str) -> bytes:
    """The recording, played once, or the words, said twice with a pause; then hang up."""
    response = VoiceResponse()
    match decision.prompt:
        case RecordedPrompt() as recorded if (url := audio_url(public_base_url, recorded)) is not None:
            response.play(url)
        case RecordedPrompt(language=language):
            _say_twice(response, words(decision), language, None)
        case SpokenPrompt(language=language, voice=voice):
            _say_twice(response, words(decision), language, voice)
    response.hangup()
    return as_bytes(response)


def words(decision: Refer) -> str:
    """What is said: the operator's own text, else the standard wording in the prompt's language.

    Own text that names what the campaign does not know gives way to the standard wording as well.
    """
    prompt, number = decision.prompt, decision.business_number
    name = speech.clean(decision.business_name, speech.BUSINESS_NAME_LIMIT)
    digits = "" if number is None else speech.digits(number, prompt.language)
    if isinstance(prompt, SpokenPrompt) and prompt.text:
        own = _filled(prompt.text, {"business_name": name, "business_number": digits})
        if own:
            return own
    return phrases.of(prompt.language).referral(name=name, number=digits)


def unknown_places(text: str) -> list[str]:
    """What a text has in braces that stands for nothing; it would be read out as it is."""
    return [place for place in _PLACE.findall(text) if place not in PLACES]


def _filled(text: str, said: dict[str, str]) -> str:
    """The text with what its places stand for; empty where it needs what is not known."""
    if any(not said.get(place, place) for place in _PLACE.findall(text)):
        return ""
    filled = _PLACE.sub(lambda place: said.get(place[1], place[0]), text)
    return speech.clean(filled, speech.PROMPT_TEXT_LIMIT)


def audio_url(public_base_url: str, prompt: RecordedPrompt) -> str | None:
    """Where the carrier fetches a recording; None where its name is none that we gave."""
    if not (_PATH_SEGMENT.fullmatch(prompt.digest) and _PATH_SEGMENT.fullmatch(prompt.extension)):
        return None
    return f"{public_base_url}/prompts/{prompt.prompt_id}/{prompt.digest}.{prompt.extension}"


def _say_twice(response: VoiceResponse, text: str, language: str, voice: str | None) -> None:
    say(response, text, language, voice)
    response.pause(length=PAUSE)
    say(response, text, language, voice)

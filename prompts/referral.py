"""Referring a caller: the number has ended, this is how to reach the business."""

import re

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases, speech
from prompts.saying import as_bytes, say
from routing.decision import Refer
from routing.route import RecordedPrompt, SpokenPrompt

PAUSE = 1
"""Seconds between the first and the second saying."""
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
    """What is said: the operator's own text, else the standard wording in the prompt's language."""
    prompt = decision.prompt
    if isinstance(prompt, SpokenPrompt) and prompt.text:
        own = speech.clean(prompt.text, speech.PROMPT_TEXT_LIMIT)
        if own:
            return own
    number = decision.business_number
    return phrases.of(prompt.language).referral(
        name=speech.clean(decision.business_name, speech.BUSINESS_NAME_LIMIT),
        number="" if number is None else speech.digits(number, prompt.language),
    )


def audio_url(public_base_url: str, prompt: RecordedPrompt) -> str | None:
    """Where the carrier fetches a recording; None where its name is none that we gave."""
    if not (_PATH_SEGMENT.fullmatch(prompt.digest) and _PATH_SEGMENT.fullmatch(prompt.extension)):
        return None
    return f"{public_base_url}/prompts/{prompt.prompt_id}/{prompt.digest}.{prompt.extension}"


def _say_twice(response: VoiceResponse, text: str, language: str, voice: str | None) -> None:
    say(response, text, language, voice)
    response.pause(length=PAUSE)
    say(response, text, language, voice)

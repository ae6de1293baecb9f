"""Words that only the answering side hears, before it is bridged with the caller."""

from twilio.twiml.voice_response import VoiceResponse

from prompts import speech
from prompts.saying import as_bytes, say


def twiml(text: str, language: str = "en") -> bytes:
    """One `<Say>`; an empty document, which bridges at once, where there is nothing to say."""
    response = VoiceResponse()
    say(response, speech.clean(text, speech.WHISPER_LIMIT), language)
    return as_bytes(response)

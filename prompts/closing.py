"""Ending a call: not answering it, apologising, hanging up."""

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases
from prompts.saying import as_bytes, say


def rejection() -> bytes:
    """`<Reject>` as the only verb: as the first one it keeps the call unanswered and unbilled."""
    response = VoiceResponse()
    response.reject(reason="rejected")
    return as_bytes(response)


def apology(language: str = "en") -> bytes:
    """Say that the call cannot be connected for the moment, and hang up."""
    response = VoiceResponse()
    say(response, phrases.of(language).apology, language)
    response.hangup()
    return as_bytes(response)


def hang_up() -> bytes:
    response = VoiceResponse()
    response.hangup()
    return as_bytes(response)

"""Ending a call: not answering it, apologising, hanging up."""

from twilio.twiml.voice_response import VoiceResponse

from prompts import phrases
from prompts.saying import as_bytes, say
from routing.disposition import Disposition


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


def after_dial(disposition: Disposition | None, language: str = "en") -> bytes:
    """Say why the business did not answer and hang up; where it did, only hang up.

    None: the carrier used a word that we do not know; the call has been put through, so nothing is said.
    """
    response = VoiceResponse()
    match disposition:
        case Disposition.BUSY:
            say(response, phrases.of(language).busy, language)
        case Disposition.NO_ANSWER | Disposition.FAILED:
            say(response, phrases.of(language).no_answer, language)
        case Disposition.COMPLETED | Disposition.CANCELED | None:
            pass
    response.hangup()
    return as_bytes(response)

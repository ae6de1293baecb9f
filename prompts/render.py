"""From a decision to the document that the carrier carries out."""

from functools import lru_cache
from typing import assert_never

from prompts import closing, connect, phrases, referral
from routing.decision import Apologise, Connect, Decision, Refer, Reject

LAST_RESORT = closing.apology()
"""What a caller gets when everything else has failed; built before the first call arrives."""

_REJECTION = closing.rejection()
_APOLOGIES = {language: closing.apology(language) for language in phrases.LANGUAGES}

# A connection takes about 1 kB in memory, a referral with the longest text of an operator 40 kB.
_CONNECTIONS_KEPT = 8_192
_REFERRALS_KEPT = 512


class Renderer:
    """Words decisions for one carrier; the same decision gives the very same bytes, built once.

    `public_base_url` is the origin that the carrier calls, such as `https://calls.example.com`.
    With `callbacks` the carrier is asked to report how a connected call goes on. Threads may share one.
    """

    def __init__(self, public_base_url: str, carrier: str = "twilio", *, callbacks: bool = False) -> None:
        base = public_base_url.rstrip("/")
        reports = f"{base}/webhooks/{carrier}" if callbacks else None

        @lru_cache(maxsize=_CONNECTIONS_KEPT)
        def connection(decision: Connect, caller_withheld: bool) -> bytes:  # noqa: FBT001 -- part of the key
            return connect.twiml(decision, caller_withheld=caller_withheld, callbacks=reports)

        @lru_cache(maxsize=_REFERRALS_KEPT)
        def reference(decision: Refer) -> bytes:
            return referral.twiml(decision, base)

        self._connection = connection
        self._reference = reference

    def twiml(self, decision: Decision, *, caller_withheld: bool) -> bytes:
        """The TwiML of a decision: UTF-8 from the XML declaration on, under 64 kB, always well formed."""
        match decision:
            case Connect():
                return self._connection(decision, caller_withheld)
            case Refer():
                return self._reference(decision)
            case Reject():
                return _REJECTION
            case Apologise(language=language):
                return _APOLOGIES[phrases.of(language).language]
            case _:
                assert_never(decision)

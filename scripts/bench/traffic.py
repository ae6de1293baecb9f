"""Inbound calls as the carrier sends them, signed with its own library before the clock starts."""

import random
from collections.abc import Sequence
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from routing.numbers import PhoneNumber
from scripts.bench.load import Prepared
from scripts.bench.seeding import destination_at, number_at
from scripts.settings import TwilioAccount

VOICE_PATH = "/webhooks/twilio/voice"
_AREAS = (
    ("SAN FRANCISCO", "CA", "94105"),
    ("CHICAGO", "IL", "60601"),
    ("MIAMI", "FL", "33101"),
    ("", "NY", ""),
)


def calls(account: TwilioAccount, public_base_url: str, numbers: Sequence[int], count: int) -> list[Prepared]:
    """Make `count` calls, no two alike, to the seeded numbers in random order.

    The marker of each is the destination that it has to be connected to.
    """
    signer = RequestValidator(account.auth_token.reveal())
    chance = random.Random(1)  # noqa: S311 - the same calls in each run
    made = []
    for _ in range(count):
        position = chance.choice(numbers)
        form = call_form(account.account_sid, number_at(position), chance)
        signature = signer.compute_signature(public_base_url + VOICE_PATH, form)
        wire = _request(urlencode(form).encode(), signature, chance.randbytes(16).hex())
        made.append(Prepared(wire, destination_at(position).e164.encode()))
    return made


def with_any_dial(requests: Sequence[Prepared]) -> list[Prepared]:
    """The same requests for a yardstick that answers each with the same `<Dial>`."""
    return [Prepared(request.wire, b"<Dial") for request in requests]


def call_form(account_sid: str, to: PhoneNumber, chance: random.Random) -> dict[str, str]:
    """Twenty fields of a voice webhook (twilio.com/docs/voice/twiml, "Request parameters")."""
    caller = f"+1415{chance.randrange(2_000_000, 9_999_999)}"
    city, state, area = chance.choice(_AREAS)
    return {
        "CallSid": "CA" + chance.randbytes(16).hex(),
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "StirVerstat": "TN-Validation-Passed-A",
        "From": caller,
        "FromCity": city,
        "FromState": state,
        "FromZip": area,
        "FromCountry": "US",
        "To": to.e164,
        "ToCity": "",
        "ToState": "",
        "ToZip": "",
        "ToCountry": "US",
        "Caller": caller,
        "CallerCountry": "US",
        "Called": to.e164,
        "CalledCountry": "US",
    }


def _request(body: bytes, signature: str, token: str) -> bytes:
    head = (
        f"POST {VOICE_PATH} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "User-Agent: TwilioProxy/1.1\r\n"
        "Accept: */*\r\n"
        "Cache-Control: max-age=259200\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"X-Twilio-Signature: {signature}\r\n"
        f"I-Twilio-Idempotency-Token: {token}\r\n"
        "X-Home-Region: us1\r\n"
        f"Content-Length: {len(body)}\r\n"
        "\r\n"
    )
    return head.encode() + body

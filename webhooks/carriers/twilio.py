"""Twilio: who may speak for it, and what its voice webhook says (twilio.com/docs/voice/twiml)."""

import re
from collections.abc import Sequence
from datetime import datetime

from routing.call import InboundCall
from routing.numbers import caller_number, dialled_number
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form
from webhooks.carriers.signature import SignatureVerifier
from webhooks.requests import CarrierRequest

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_REQUIRED = ("CallSid", "AccountSid", "From", "To")
_SHORTENED = 64


class Twilio:
    """The carrier's vocabulary, turned into ours at the door."""

    name = "twilio"

    def __init__(self, account_sid: str, public_base_url: str, tokens: Sequence[str]) -> None:
        self._account_sid = account_sid
        self._verifier = SignatureVerifier(public_base_url, tokens)

    def is_authentic(self, request: CarrierRequest, form: Form) -> bool:
        return self._verifier.verify(
            request.target,
            form,
            request.header("HTTP_X_TWILIO_SIGNATURE"),
            request.header("HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS"),
        )

    def check_account(self, form: Form) -> None:
        """Raise `ForeignAccount` unless the request is for our account, `Malformed` without one."""
        if _only_one(form.all("AccountSid"), "AccountSid") != self._account_sid:
            raise ForeignAccount

    def inbound_call(self, form: Form, received_at: datetime) -> InboundCall:
        """Read the call; raise `Malformed` or `ForeignAccount`.

        One valid signature also fits fields cut at other places, so each required field must be
        there exactly once, under its own name and in its own shape.
        """
        values: dict[bytes, str] = {}
        repeated: set[bytes] = set()
        for field, value in form.fields:
            if field in values:
                repeated.add(field)
            else:
                values[field] = value.decode(errors="replace")
        for required in _REQUIRED:
            if (name := required.encode()) not in values or name in repeated:
                raise Malformed(required)
        if not _CALL_SID.fullmatch(values[b"CallSid"]):
            raise Malformed("CallSid")
        if values[b"AccountSid"] != self._account_sid:
            raise ForeignAccount
        dialled = dialled_number(values[b"To"])
        forwarded_from = values.get(b"ForwardedFrom")
        return InboundCall(
            carrier=self.name,
            call_sid=values[b"CallSid"],
            received_at=received_at,
            dialled=dialled,
            dialled_text="" if dialled else values[b"To"][:_SHORTENED],
            caller=caller_number(values[b"From"]),
            caller_city=_word(values.get(b"FromCity")),
            caller_state=_word(values.get(b"FromState")),
            caller_country=_word(values.get(b"FromCountry")),
            attestation=_word(values.get(b"StirVerstat")),
            forwarded_from=caller_number(forwarded_from) if forwarded_from else None,
        )


def _only_one(values: list[str], field: str) -> str:
    if len(values) != 1:
        raise Malformed(field)
    return values[0]


def _word(value: str | None) -> str | None:
    """Twilio sends what it does not know as an empty string."""
    return value[:_SHORTENED] if value else None

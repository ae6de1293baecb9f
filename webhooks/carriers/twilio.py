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
_REQUIRED = (b"CallSid", b"AccountSid", b"From", b"To")
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
        values = _each_required_once(form)
        call_sid = _text(values[b"CallSid"])
        if not _CALL_SID.fullmatch(call_sid):
            raise Malformed("CallSid")
        if _text(values[b"AccountSid"]) != self._account_sid:
            raise ForeignAccount
        to = _text(values[b"To"])
        dialled = dialled_number(to)
        forwarded_from = values.get(b"ForwardedFrom")
        return InboundCall(
            carrier=self.name,
            call_sid=call_sid,
            received_at=received_at,
            dialled=dialled,
            dialled_text="" if dialled else to[:_SHORTENED],
            caller=caller_number(_text(values[b"From"])),
            caller_city=_word(values.get(b"FromCity")),
            caller_state=_word(values.get(b"FromState")),
            caller_country=_word(values.get(b"FromCountry")),
            attestation=_word(values.get(b"StirVerstat")),
            forwarded_from=caller_number(_text(forwarded_from)) if forwarded_from else None,
        )


def _each_required_once(form: Form) -> dict[bytes, bytes]:
    """All fields by name, where every required one was sent exactly once; raise `Malformed`.

    Of another field that is repeated the first value counts.
    """
    values = dict(reversed(form.fields))
    repeats = len(values) < len(form.fields)
    for name in _REQUIRED:
        if name not in values or (repeats and len(form.all(name.decode())) > 1):
            raise Malformed(name.decode())
    return values


def _only_one(values: list[str], field: str) -> str:
    if len(values) != 1:
        raise Malformed(field)
    return values[0]


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _word(value: bytes | None) -> str | None:
    """Twilio sends what it does not know as an empty string."""
    return _text(value)[:_SHORTENED] if value else None

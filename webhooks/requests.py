"""A carrier's HTTP request, free of any framework."""

from collections.abc import Mapping

from msgspec import Struct

LARGEST_BODY = 64 * 1024
"""Bytes; a voice request has about 1,000, one over SIP with many headers some thousand."""


class CarrierRequest(Struct, frozen=True):
    """What a signature is made of, and the little else that matters."""

    method: str
    target: str
    """Path and query exactly as on the request line; carriers sign these bytes, not a decoded form."""
    content_type: str
    body: bytes
    """At most `LARGEST_BODY` + 1 bytes: one more than allowed tells that there was more."""
    headers: Mapping[str, object]
    """By WSGI name: `HTTP_X_TWILIO_SIGNATURE`. Each carrier knows its own."""

    def header(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value if isinstance(value, str) else None

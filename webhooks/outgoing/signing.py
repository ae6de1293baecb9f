"""Sign what is sent, as Standard Webhooks says (standardwebhooks.com, version 1)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

_PREFIX = "whsec_"


def headers_of(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers; one signature for each secret, so that a receiver may know either."""
    timestamp = str(int(at.timestamp()))
    signed = b"%s.%s.%s" % (message_id.encode(), timestamp.encode(), body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

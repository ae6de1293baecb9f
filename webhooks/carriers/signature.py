"""Twilio's request signature, checked over the bytes that were sent.

base64(HMAC-SHA1(auth token, URL + name and value of each POST field, sorted by name)), as in
twilio.com/docs/usage/security. The URL is the configured public one with the path and query of the
request line, never what the Host header claims. The helper library's validator is not used on
the call path; the tests hold this file against it.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from webhooks.carriers.form import Form

_DEFAULT_PORTS = {"https": 443, "http": 80}
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


class SignatureVerifier:
    """Knows the public origin and the tokens; two of them while one is being rotated out.

    Raises `ValueError` without a token, or with an empty one, which everybody could sign with.
    """

    def __init__(self, public_base_url: str, tokens: Sequence[str]) -> None:
        if not tokens or not all(tokens):
            raise ValueError("requests can be checked only against tokens that are not empty")
        self._origins = [origin.encode() for origin in signed_origins(public_base_url)]
        # Prepared once: starting an HMAC from its key costs more than hashing a request.
        self._keyed = {
            algorithm: [hmac.new(token.encode(), digestmod=algorithm) for token in tokens]
            for algorithm in set(_ALGORITHMS.values())
        }

    def verify(self, target: str, form: Form, signature: str | None, settings: str | None = None) -> bool:
        """Whether `signature` is right for a POST of `form` to `target`, the raw path and query.

        `settings` is the header `X-Twilio-Webhooks-Signature-Settings`, which may announce
        HMAC-SHA256. Never raises, whatever was sent.
        """
        algorithm = "sha1" if settings is None else _algorithm_in(settings)
        if not signature or algorithm is None or not signature.isascii() or not target.startswith("/"):
            return False
        target = target.partition("#")[0]
        # A body hash belongs to JSON webhooks, which are not taken here: a form under it is unsigned.
        if "bodySHA256" in target and "bodySHA256" in parse_qs(
            target.partition("?")[2], keep_blank_values=True
        ):
            return False
        try:
            raw_target = target.encode("latin-1")
        except UnicodeEncodeError:  # no bytes of a request line: WSGI hands each over as one character
            return False
        rest = raw_target + _signed_fields(form)
        given = signature.encode()
        for origin in self._origins:
            message = origin + rest
            for keyed in self._keyed[algorithm]:
                tag = keyed.copy()
                tag.update(message)
                if hmac.compare_digest(b64encode(tag.digest()), given):
                    return True
        return False


def _signed_fields(form: Form) -> bytes:
    """Names and values, sorted by name, of one name by value; each pair once."""
    values = dict(form.fields)
    if len(values) == len(form.fields):
        return b"".join([name + values[name] for name in sorted(values)])
    return b"".join([name + value for name, value in sorted(set(form.fields))])


def signed_origins(public_base_url: str) -> list[str]:
    """The forms of our origin that Twilio may have signed, the likeliest first.

    User and password are never signed. The port is dropped for voice over https and kept over http,
    though not reliably: the helper libraries try both, and so do we.
    """
    parts = urlsplit(public_base_url)
    host = parts.netloc.rpartition("@")[2]
    bare = host.rpartition(":")[0] if parts.port is not None else host
    with_port = f"{bare}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"
    keeps_port = parts.scheme == "http" and parts.port is not None
    likeliest_first = (with_port, bare) if keeps_port else (bare, with_port)
    return [f"{parts.scheme}://{name}" for name in likeliest_first]


def _algorithm_in(settings: str) -> str | None:
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return _ALGORITHMS.get(value.strip().upper())
    return "sha1"

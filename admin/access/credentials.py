"""Random secrets that somebody carries and we recognise: session cookies, API tokens, one-time links."""

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "hs_"  # noqa: S105 - what secret scanners and people know our tokens by
_BYTES = 32


def new_secret(prefix: str = "") -> str:
    """32 random bytes as text that is safe in headers, cookies and addresses."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> str:
    """What is stored of it: SHA-256 in hexadecimal. Its 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def seal(key: str, *words: object) -> str:
    """An HMAC-SHA256 in hexadecimal over `words`, the first of which says what it is for."""
    message = "\x1f".join(map(str, words)).encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def is_sealed(seal_given: str, key: str, *words: object) -> bool:
    """Whether it is the seal of these words, in constant time."""
    return hmac.compare_digest(seal_given.encode("utf-8", "surrogatepass"), seal(key, *words).encode())

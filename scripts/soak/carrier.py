"""The carrier: posts signed webhooks, asks again where it got no answer, then asks the fallback.

It keeps to what docs/production.md tells operators to set: `#rc=1&rp=ct,rt,5xx&ct=2000&rt=4000&tt=12000`
and a fallback URL (twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from scripts.settings import TwilioAccount
from scripts.soak.answers import answer_in
from scripts.soak.ledger import Heard

_CONNECT_WITHIN = 2.0
_ANSWER_WITHIN = 4.0
_ALL_WITHIN = 12.0
_ATTEMPTS = 2
_SERVER_FAILED = 500
_OK = 200
_PATH = "/webhooks/twilio/"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP, and with which attempt it came."""

    status: int
    body: bytes
    attempts: int


class Carrier:
    """Speaks to the web server at `port` of this machine; every request has a connection of its own."""

    def __init__(self, port: int, account: TwilioAccount, public_base_url: str) -> None:
        self._port = port
        self._signer = RequestValidator(account.auth_token.reveal())
        self._public_base_url = public_base_url

    async def ring(self, form: dict[str, str]) -> Heard:
        """Ask `voice`, and the fallback where `voice` has no answer."""
        sent = time.monotonic()
        reply = await self.post("voice", form)
        fell_back = reply is None or reply.status != _OK
        attempts = _ATTEMPTS if reply is None else reply.attempts
        if fell_back:
            reply = await self.post("fallback", form | {"ErrorCode": "11200"})
        answer = answer_in(reply.body) if reply is not None and reply.status == _OK else None
        return Heard(sent, time.monotonic(), answer, attempts, fell_back)

    async def post(self, event: str, form: dict[str, str]) -> Reply | None:
        """Post one webhook, twice where the first try fails; None: neither got an answer."""
        path = _PATH + event
        signature = self._signer.compute_signature(self._public_base_url + path, form)
        body = urlencode(form).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: calls.example.com\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        until = time.monotonic() + _ALL_WITHIN
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    status, answer = await self._exchange(head.encode() + body)
            except (OSError, EOFError, ValueError):  # among them TimeoutError
                continue
            if status < _SERVER_FAILED:
                return Reply(status, answer, attempt)
        return None

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send and read to the end; raise OSError, EOFError, or ValueError for what is not HTTP."""
        async with asyncio.timeout(_CONNECT_WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            async with asyncio.timeout(_ANSWER_WITHIN):
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length_in(head))
        finally:
            writer.close()
        return int(head.split(b" ", 2)[1]), body


def _length_in(head: bytes) -> int:
    """The length of the body (RFC 9112); an answer without one has none."""
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0

"""One attempt: connect to a checked address, post, read a little of the answer, and let go.

Own code of HTTP/1.1, for three things that client libraries do not give together: the connection goes
to the address that was checked, no more is read than is wanted, and all of it has one deadline.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from webhooks.outgoing.addresses import AddressRefused, AddressRules, Resolve, Target, look_up, target_of

TIMEOUT = 15.0
"""Seconds for everything, from the name's look-up to the answer's head."""
_CONNECT_TIMEOUT = 5.0
_BODY_TIMEOUT = 1.0
"""The status has decided already; what comes later than this is not worth waiting for."""
_LONGEST_HEAD = 16 * 1024
_SHOWN = 500
"""Bytes of the answer that are kept."""
_MOST_ADDRESSES = 3
_MOST_HINTS = 5
"""Answers such as 103 before the real one."""
_LOOK_UPS = 64
"""Names that are looked up at the same time: some name servers are as slow as receivers."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r|$)")
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt; `problem` says why it failed and is None where it did not."""

    status: int | None
    problem: str | None
    body: str | None = None
    retry_after: timedelta | None = None


class Sender:
    """Posts to addresses that the rules allow; to be used in one event loop. Never raises."""

    def __init__(
        self, rules: AddressRules, agent: str, *, timeout: float = TIMEOUT, resolve: Resolve = look_up
    ) -> None:
        """`agent` is what receivers read in User-Agent."""
        self._rules = rules
        self._agent = agent
        self._timeout = timeout
        self._resolve = resolve
        self._resolvers = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="look-up")
        self._tls = ssl.create_default_context()

    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(target_of(address), headers, body)
        except AddressRefused as refused:
            return Answer(None, f"the address {refused}")
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout:g} seconds")
        except ssl.SSLCertVerificationError as error:
            return Answer(None, f"its certificate is not valid: {error.verify_message}")
        except ssl.SSLError as error:
            return Answer(None, f"no TLS: {error.reason or 'the handshake failed'}")
        except (ConnectionError, asyncio.IncompleteReadError):
            return Answer(None, "the connection was closed or refused")
        except asyncio.LimitOverrunError:
            return Answer(None, "the head of its answer is too long")
        except NotHttp:
            return Answer(None, "what it answered is not HTTP")
        except OSError as error:
            return Answer(None, f"cannot be reached ({error.strerror or type(error).__name__})")

    def close(self) -> None:
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._resolvers, self._resolve, target.host, target.port)
        reader, writer = await self._connect(target, self._rules.choose(target, found))
        try:
            writer.write(self._request(target, headers, body))
            await writer.drain()
            status, said = await _head(reader)
            return Answer(
                status,
                _problem(status),
                await _beginning(reader, said),
                _retry_after(said, datetime.now(UTC)),
            )
        finally:
            writer.transport.abort()  # not one byte more, and no waiting for a polite end

    async def _connect(
        self, target: Target, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        *others, last = addresses[:_MOST_ADDRESSES]
        for address in others:
            with suppress(OSError):  # the next one may be better
                return await self._connect_to(target, address)
        return await self._connect_to(target, last)

    async def _connect_to(
        self, target: Target, address: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        secure = {"ssl": self._tls, "server_hostname": target.host} if target.is_secure else {}
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            return await asyncio.open_connection(address, target.port, limit=_LONGEST_HEAD, **secure)  # type: ignore[arg-type]

    def _request(self, target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = {
            "Host": target.authority,
            "User-Agent": self._agent,
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode() + body


class NotHttp(Exception):
    """Whoever answered speaks something else."""


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """The status and the headers of the answer, those of hints before it left out."""
    for _ in range(_MOST_HINTS):
        head = await reader.readuntil(b"\r\n\r\n")
        found = _STATUS.match(head)
        if found is None:
            raise NotHttp
        if not found[1].startswith(b"1"):
            lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
            return int(found[1]), {name.strip().lower(): value.strip() for name, _, value in lines}
    raise NotHttp


async def _beginning(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> str:
    """The first characters of the body, as far as they come at once."""
    data = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(_BODY_TIMEOUT):
            while len(data) < _SHOWN and (more := await reader.read(_SHOWN)):
                data += more
                if data.endswith(b"\r\n0\r\n\r\n") or len(data) >= _length(headers):
                    break
    if "chunked" in headers.get("transfer-encoding", "").lower():
        data = b"".join(_chunks(data))
    return data[:_SHOWN].decode("utf-8", "replace").replace("\0", "\ufffd")


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else _SHOWN


def _chunks(data: bytes) -> list[bytes]:
    """What is whole, or begun, of a chunked body (RFC 9112, section 7.1)."""
    chunks = []
    while data:
        size, _, data = data.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            break
        chunks.append(data[:length])
        data = data[length + 2 :]
    return chunks


def _problem(status: int) -> str | None:
    if status in _SUCCESS:
        return None
    if status in _REDIRECT:
        return f"it answered {status}; redirects are not followed"
    return f"it answered {status}"


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110, section 10.2.3); None where it says nothing that can be read."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(timedelta(0), until.replace(tzinfo=until.tzinfo or UTC) - now)

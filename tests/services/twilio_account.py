"""An account at Twilio: its REST API over HTTP, as twilio.com/docs/voice/api and …/usage/api describe it.

It keeps state, gives lists in pages and refuses wrong credentials; a test may spoil the next answers.
Another resource is one more line in `routes`.
"""

import json
import re
import secrets
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

_API = "2010-04-01"
_PAGE_SIZE = 50
_LARGEST_PAGE = 1000

Record = dict[str, Any]
Handler = Callable[..., Response]
Fault = Callable[[Request], Response | None]
"""Spoils one answer; None: the request is answered all the same, perhaps late."""


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@dataclass(slots=True)
class TwilioAccountServer:
    """Listens on a loopback port of its own; `calls` are its records, the oldest first."""

    account_sid: str
    auth_token: str
    calls: list[Record] = field(default_factory=list)
    recordings: dict[str, bytes] = field(default_factory=dict)
    spoiled: deque[Fault] = field(default_factory=deque)
    """What becomes of the next requests, one each."""
    requests: list[str] = field(default_factory=list)
    """Path and query of each, as they came."""
    origin: str = field(init=False)
    _stop: Callable[[], None] = field(init=False)

    def routes(self) -> Iterator[tuple[str, str, Handler]]:
        """Method, path below the account (groups become arguments), and who answers."""
        yield "GET", r"\.json", self._show_account
        yield "GET", r"/Calls\.json", self._list_calls
        yield "GET", r"/Calls/(\w+)\.json", self._show_call
        yield "GET", r"/Recordings/(\w+)", self._play_recording

    def add_call(self, to: str, began_at: datetime, seconds: int | None = 60, **said: Any) -> str:
        """A caller's call that lasted `seconds` (None: is still on) and completed; `said` are fields."""
        ended = began_at + timedelta(seconds=seconds or 0)
        over = {"status": "completed", "end_time": _rfc2822(ended), "duration": str(seconds)}
        record = {
            "sid": "CA" + secrets.token_hex(16),
            "account_sid": self.account_sid,
            "parent_call_sid": None,
            "direction": "inbound",
            "from": "+13035550142",
            "to": to,
            "status": "in-progress",
            "date_created": _rfc2822(began_at),
            "start_time": _rfc2822(began_at),
            "end_time": None,
            "duration": None,
        }
        self.calls.append(record | (over if seconds is not None else {}) | said)
        return str(self.calls[-1]["sid"])

    def add_leg(self, parent: str, to: str, began_at: datetime, seconds: int | None = 60, **said: Any) -> str:
        """A leg to the business that was created at `began_at`."""
        return self.add_call(
            to, began_at, seconds, **{"parent_call_sid": parent, "direction": "outbound-dial"} | said
        )

    def __enter__(self) -> Self:
        server = make_server(
            "127.0.0.1", 0, Request.application(self._answer), threaded=True, request_handler=_Quiet
        )
        self.origin = f"http://127.0.0.1:{server.port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        self._stop = stop
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _answer(self, request: Request) -> Response:
        self.requests.append(f"{request.path}?{request.query_string.decode()}")
        if self.spoiled and (answer := self.spoiled.popleft()(request)) is not None:
            return answer
        wanted = b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return problem(401, 20003, "Authenticate")
        base = f"/{_API}/Accounts/{self.account_sid}"
        for method, path, handler in self.routes():
            found = re.fullmatch(re.escape(base) + path, request.path)
            if found and method == request.method:
                return handler(request, *found.groups())
        return problem(404, 20404, f"The requested resource {request.path} was not found")

    def _show_account(self, _request: Request) -> Response:
        return document({"sid": self.account_sid, "status": "active"})

    def _list_calls(self, request: Request) -> Response:
        asked = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
        found = [call for call in reversed(self.calls) if _fits(call, asked)]
        return self.page(request, "calls", found)

    def _show_call(self, _request: Request, sid: str) -> Response:
        for call in self.calls:
            if call["sid"] == sid:
                return document(call)
        return problem(404, 20404, "not found")

    def _play_recording(self, _request: Request, sid: str) -> Response:
        if sid not in self.recordings:
            return problem(404, 20404, "not found")
        return Response(self.recordings[sid], content_type="audio/x-wav")

    def page(self, request: Request, name: str, found: list[Record]) -> Response:
        """One page of a list, with the relative address of the next one."""
        size = int(request.args.get("PageSize", _PAGE_SIZE))
        if not 1 <= size <= _LARGEST_PAGE:
            return problem(400, 20001, "PageSize")
        start = int(request.args.get("PageToken", "PA0")[2:])
        following = None
        if start + size < len(found):
            more = {"Page": str(start // size + 1), "PageToken": f"PA{start + size}"}
            following = f"{request.path}?{urlencode(request.args.to_dict() | more)}"
        return document({name: found[start : start + size], "page_size": size, "next_page_uri": following})


def document(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def problem(status: int, code: int, message: str) -> Response:
    return document({"code": code, "message": message, "status": status}, status)


def busy(status: int = 429, retry_after: str | None = None) -> Fault:
    """429 (20429) or 503 (20503), perhaps with how long to wait."""

    def fault(_request: Request) -> Response:
        answer = problem(status, 20000 + status, "busy")
        if retry_after is not None:
            answer.headers["Retry-After"] = retry_after
        return answer

    return fault


def saying(body: bytes, status: int = 200, **headers: str) -> Fault:
    """Whatever it is, instead of the answer."""
    return lambda _request: Response(body, status, headers=headers)


def late(seconds: float) -> Fault:
    """The right answer, too late."""
    return lambda _request: time.sleep(seconds)


def dripping(pause: float, count: int = 100) -> Fault:
    """A byte now and then."""

    def drops() -> Iterable[bytes]:
        for _ in range(count):
            time.sleep(pause)
            yield b" "

    return lambda _request: Response(drops(), headers={"Content-Length": str(count)})


def _fits(call: Record, asked: dict[str, str]) -> bool:
    if "ParentCallSid" in asked and call["parent_call_sid"] != asked["ParentCallSid"]:
        return False
    began = call["start_time"] or call["date_created"]
    stamp = datetime.strptime(began, "%a, %d %b %Y %H:%M:%S %z").strftime("%Y-%m-%dT%H:%M:%SZ")
    # A bare day is its midnight; instants are compared as they are written.
    return asked.get("StartTime>", "") <= stamp <= asked.get("StartTime<", "9999")


def _rfc2822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0))

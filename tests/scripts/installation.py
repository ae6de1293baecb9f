"""An installation as a command finds it: settings in the environment, stores, perhaps a server."""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from structlog.testing import capture_logs
from werkzeug.serving import WSGIRequestHandler, make_server

from models.database import Database
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts import demo, index_keeping
from tests.webhooks.switchboard import ACCOUNT, TOKEN

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

SECRETS = {"SECRET_KEY": "k" * 32, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.split("\n") if line]

    @property
    def complaint(self) -> str:
        """The one line on stderr of a command that failed."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("hookswitch: ")
        return self.err.strip()


@dataclass(frozen=True, slots=True)
class Installation:
    """The stores that the environment names."""

    database: Database
    redis: RedisClient
    layout: Layout

    def load_demo(self) -> None:
        demo.load(self.database, datetime.now(UTC))
        self.rebuild_index()

    def rebuild_index(self) -> None:
        index_keeping.rebuild(self.database, self.redis, self.layout)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


class Server:
    """A web server on a loopback port of its own, in a thread; what it serves may be set later.

    What it logs goes nowhere: it shares its streams with the command that is tested.
    """

    def __init__(self, application: "WSGIApplication | None" = None) -> None:
        self.application = application
        self._server = make_server("127.0.0.1", 0, self._serve, request_handler=_Quiet)
        self.origin = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def _serve(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        assert self.application is not None
        with capture_logs():
            return self.application(environ, start_response)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answering(status: str, body: bytes, content_type: str = "text/html") -> "WSGIApplication":
    """An application that always says the same."""

    def application(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        # A server that leaves the request unread resets the connection.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [("Content-Type", content_type), ("Location", "/elsewhere")])
        return [body]

    return application

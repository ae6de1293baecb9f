"""A customer's system that takes webhooks, well or badly: a real server that speaks HTTP byte by byte."""

import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

LARGEST = 10**10


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    at: float
    """Of the monotonic clock."""
    request_line: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[socket.socket, Received], None]


def answering(status: int = 204, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer at once; underscores in the names of headers stand for dashes."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + body

    def answer(connection: socket.socket, _request: Received) -> None:
        connection.sendall(whole)

    return answer


def saying(whole: bytes) -> Behaviour:
    """Answer with these very bytes."""
    return lambda connection, _request: connection.sendall(whole)


def hanging(connection: socket.socket, _request: Received) -> None:
    """Take the request and say nothing, until the other side has enough."""
    with contextlib.suppress(OSError):
        connection.recv(1)


def resetting(connection: socket.socket, _request: Received) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def dripping(connection: socket.socket, _request: Received) -> None:
    """Say it one byte after the other, and never come to an end."""
    for byte in itertools.chain(b"HTTP/1.1 200 OK\r\n", itertools.repeat(ord("x"))):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


class Flood:
    """An answer without end; `sent` says how much of it the other side took."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, connection: socket.socket, _request: Received) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGEST)
        piece = b"x" * 65536
        with contextlib.suppress(OSError):
            while self.sent < LARGEST:
                self.sent += connection.send(piece)


class Receiver:
    """Listens on a loopback port of its own; `behaviour` may be changed, `received` has all requests."""

    def __init__(self, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour: Behaviour = behaviour or answering()
        self.received: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        scheme = "http" if tls is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self.port}/hooks?from=hookswitch"
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone wakes nobody who waits in accept.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join(5)

    def bodies(self, event: str | None = None) -> list[Any]:
        found = [request.json for request in self.received]
        return [body for body in found if event is None or body["type"] == event]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            if self._tls is None:
                self._take(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._take(secured)

    def _take(self, connection: socket.socket) -> None:
        request = _read(connection)
        if request is not None:
            self.received.append(request)
            self.behaviour(connection, request)


def _read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Received(time.monotonic(), request_line, headers, body)


@contextlib.contextmanager
def receiver(behaviour: Behaviour | None = None) -> Iterator[Receiver]:
    with Receiver(behaviour) as listening:
        yield listening

"""A TCP proxy on loopback that plays network faults in front of a real server."""

import select
import socket
import struct
import threading
from contextlib import suppress
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""

_READ_SIZE = 65_536
_PATIENCE = 5.0
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """What the proxy does; `seconds` is the pause that LATENCY and SLOW take."""

    OK = "ok"
    LATENCY = "latency"
    """Every piece of a reply comes so many seconds late."""
    BLACKHOLE = "blackhole"
    """Connections are accepted, and nothing ever comes out of them."""
    RESET = "reset"
    """Every connection is reset, new ones as soon as they are accepted."""
    REFUSE = "refuse"
    """Nobody listens; the port stays ours."""
    CUT = "cut"
    """The next reply of each connection ends in its middle, and so does the connection."""
    SLOW = "slow"
    """Replies drip: one byte, a pause, one byte."""


class FaultProxy:
    """Listens on `port` and passes on to the server at `upstream` until `close`.

    `turn` switches at once, for the connections that are there as well. What was swallowed is lost,
    so a connection that lost something is closed when the fault ends.
    """

    def __init__(self, upstream: Address) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._fault = Fault.OK
        self._seconds = 0.0
        self._links: set[_Link] = set()
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._acceptor: threading.Thread | None = None
        self._listen()

    @classmethod
    def before(cls, url: str) -> Self:
        """A proxy for the server that `url` names with host and port; ValueError without."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError("a fault proxy needs the server's host and port")
        return cls((parts.hostname, parts.port))

    def url(self, url: str) -> str:
        """The server's own `url`, by way of this proxy."""
        parts = urlsplit(url)
        account, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{account}{at}127.0.0.1:{self.port}").geturl()

    @property
    def fault(self) -> Fault:
        return self._fault

    @property
    def seconds(self) -> float:
        return self._seconds

    def turn(self, fault: Fault, seconds: float = 0.25) -> None:
        """Play `fault` from now on."""
        with self._lock:
            before, self._fault, self._seconds = self._fault, fault, seconds
            links = list(self._links)
        for link in links:
            if fault in (Fault.RESET, Fault.REFUSE):
                link.end(reset=True)
            elif link.has_swallowed:
                link.end()
        if fault is Fault.REFUSE and before is not Fault.REFUSE:
            self._stop_listening()
            self._listener = _bound(self.port)
        elif before is Fault.REFUSE and fault is not Fault.REFUSE:
            self._listen()

    def close(self) -> None:
        if self._acceptor is None:
            self._listener.close()
        else:
            self._stop_listening()
        with self._lock:
            links = list(self._links)
        for link in links:
            link.end()
        for link in links:
            link.join()
        self._wake.close()
        self._woken.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        self._listener.listen(128)
        self._acceptor = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._acceptor.start()

    def _stop_listening(self) -> None:
        if self._acceptor is not None:
            self._wake.send(b"x")
            self._acceptor.join(_PATIENCE)
            self._acceptor = None
        self._listener.close()

    def _accept(self) -> None:
        while True:
            ready, _, _ = select.select([self._listener, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(1)
                return
            client, _ = self._listener.accept()
            self._welcome(client)

    def _welcome(self, client: socket.socket) -> None:
        server = None
        if self._fault is not Fault.BLACKHOLE:
            try:
                server = _connected(self._upstream)
            except OSError:
                _close_with_reset(client)
                return
        link = _Link(self, client, server)
        with self._lock:
            self._links.add(link)
            resets = self._fault in (Fault.RESET, Fault.REFUSE)
        if resets:
            link.end(reset=True)
        link.start()

    def forget(self, link: "_Link") -> None:
        with self._lock:
            self._links.discard(link)


class _Link:
    """One connection of a client, and ours to the server; none behind a black hole."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket | None) -> None:
        self.has_swallowed = server is None
        self._proxy = proxy
        self._client = client
        self._server = server
        self._ended = threading.Event()
        self._lock = threading.Lock()
        directions = [(client, server)] if server is None else [(client, server), (server, client)]
        self._running = len(directions)
        self._pumps = [
            threading.Thread(target=self._pump, args=direction, name="fault-proxy-pump", daemon=True)
            for direction in directions
        ]

    def start(self) -> None:
        for pump in self._pumps:
            pump.start()

    def end(self, *, reset: bool = False) -> None:
        """Wake both pumps; the last of them closes the sockets."""
        with self._lock:
            if not self._running:
                return
            if reset:
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self._ended.set()
            for side in filter(None, (self._client, self._server)):
                # Reading only: what ends writing as well would say a polite goodbye before the reset.
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RD)

    def join(self) -> None:
        for pump in self._pumps:
            pump.join(_PATIENCE)

    def _pump(self, source: socket.socket, sink: socket.socket | None) -> None:
        with suppress(OSError):
            while not self._ended.is_set() and (data := source.recv(_READ_SIZE)):
                if sink is None or self._proxy.fault is Fault.BLACKHOLE:
                    self.has_swallowed = True
                elif sink is self._client:
                    self._reply(data)
                else:
                    sink.sendall(data)
        self.end()
        with self._lock:
            self._running -= 1
            is_last = not self._running
            if is_last:
                for side in filter(None, (self._client, self._server)):
                    side.close()
        if is_last:
            self._proxy.forget(self)

    def _reply(self, data: bytes) -> None:
        match self._proxy.fault:
            case Fault.LATENCY:
                self._ended.wait(self._proxy.seconds)
            case Fault.CUT:
                self._client.sendall(data[: len(data) // 2])
                self.end()
                return
            case Fault.SLOW:
                data = self._drip(data)
            case _:
                pass
        if not self._ended.is_set():
            self._client.sendall(data)

    def _drip(self, data: bytes) -> bytes:
        """Send byte by byte while the fault lasts; return what is left."""
        while data and self._proxy.fault is Fault.SLOW and not self._ended.is_set():
            self._client.sendall(data[:1])
            data = data[1:]
            self._ended.wait(self._proxy.seconds)
        return data


def _connected(upstream: Address) -> socket.socket:
    if not isinstance(upstream, str):
        server = socket.create_connection(upstream, timeout=_PATIENCE)
        server.settimeout(None)
        return server
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(upstream)
    except OSError:
        server.close()
        raise
    return server


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _close_with_reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    client.close()

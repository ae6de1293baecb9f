"""Keep pages that are not public apart, by the address at which a request arrived."""

import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class PrivatePages:
    """A WSGI application: `private` for what arrived at `address` (`host:port`, `unix:path`), else `public`.

    Asks the connection itself. What a server says in SERVER_NAME and SERVER_PORT may come from the
    Host header (gunicorn, for a unix socket), and that from anybody.
    """

    def __init__(self, address: str, private: "WSGIApplication", public: "WSGIApplication") -> None:
        self._address = _local_part(address)
        self._private = private
        self._public = public

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        connection: socket.socket | None = environ.get("gunicorn.socket")
        arrived_at = None if connection is None else _arrived_at(connection)
        application = self._private if arrived_at == self._address else self._public
        return application(environ, start_response)


def _local_part(address: str) -> str | int:
    """A path or a port: a listener on all addresses knows its connections by the one they came to."""
    kind, _, path = address.partition(":")
    return path.removeprefix("//") if kind == "unix" else int(address.rpartition(":")[2])


def _arrived_at(connection: socket.socket) -> str | int | None:
    try:
        name = connection.getsockname()
    except OSError:  # the other side has hung up
        return None
    match name:
        case (_, int(port), *_):
            return port
        case str(path):
            return path
        case _:
            return None

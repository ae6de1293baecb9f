"""Metrics are shown at an address of their own, whatever a request says of itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.webhooks.conftest import MakeSwitchboard
from tests.webhooks.switchboard import Arrived, Switchboard

METRICS_PORT = 9464


def at(board: Switchboard, path: str, port: int | None, **headers: str) -> int:
    """The status of a page at a port; None: a server that does not tell."""
    environ = {} if port is None else {"gunicorn.socket": Arrived(port)}
    return board.web.get(path, headers=headers, environ_overrides=environ).status_code


def test_metrics_are_shown_at_their_own_address_only(switchboard: Switchboard) -> None:
    assert at(switchboard, "/metrics", METRICS_PORT) == 200
    assert at(switchboard, "/metrics", 8000) == 404
    assert at(switchboard, "/metrics", None) == 404


@pytest.mark.parametrize(
    ("header", "value"),
    [("Host", "127.0.0.1:9464"), ("X-Forwarded-Host", "127.0.0.1:9464"), ("X-Forwarded-Port", "9464")],
)
def test_nothing_that_a_request_says_opens_them(switchboard: Switchboard, header: str, value: str) -> None:
    assert at(switchboard, "/metrics", 8000, **{header: value}) == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_both_addresses_tell_how_we_are(switchboard: Switchboard, path: str) -> None:
    switchboard.rebuild_index()
    assert at(switchboard, path, 8000) == at(switchboard, path, METRICS_PORT) == 200


def test_the_private_address_has_no_other_pages(switchboard: Switchboard) -> None:
    private = switchboard.web.get(
        "/prompts/1/0.wav", environ_overrides={"gunicorn.socket": Arrived(METRICS_PORT)}
    )
    assert (private.status_code, b"recording" in private.data) == (404, False)


def test_without_an_address_there_are_no_metrics(make_switchboard: MakeSwitchboard) -> None:
    board = make_switchboard(metrics_address=None)
    assert at(board, "/metrics", METRICS_PORT) == at(board, "/metrics", 8000) == 404


@contextmanager
def arrived_at(path: Path) -> Iterator[socket.socket]:
    """The server's end of a connection to a unix socket."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(path))
        listener.listen()
        client.connect(str(path))
        accepted, _ = listener.accept()
        with accepted:
            yield accepted


def test_the_address_may_be_a_socket_of_the_file_system(
    make_switchboard: MakeSwitchboard, tmp_path: Path
) -> None:
    private, public = tmp_path / "m.sock", tmp_path / "w.sock"
    board = make_switchboard(metrics_address=f"unix:{private}")
    for path, status in ((private, 200), (public, 404)):
        with arrived_at(path) as connection:
            page = board.web.get("/metrics", environ_overrides={"gunicorn.socket": connection})
        assert page.status_code == status

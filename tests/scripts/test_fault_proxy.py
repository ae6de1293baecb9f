"""The fault proxy does to a connection what its modes say, and nothing when all is well."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from scripts.soak.fault_proxy import Fault, FaultProxy


def _echo(listener: socket.socket) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            while data := peer.recv(100):
                peer.sendall(data)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A proxy before a server that says back what it hears, one client at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_echo, args=(listener,))
        server.start()
        with FaultProxy(listener.getsockname()) as proxy:
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as client:
        assert said(client, b"first") == b"first"
        yield client


def said(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    heard = b""
    while len(heard) < len(words) and (data := client.recv(100)):
        heard += data
    return heard


def test_a_late_reply_is_whole(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.turn(Fault.LATENCY, 0.1)
    began = time.monotonic()
    assert said(client, b"hello") == b"hello"
    assert time.monotonic() - began >= 0.1


def test_nothing_comes_out_of_a_black_hole_nor_of_what_fell_into_it(
    proxy: FaultProxy, client: socket.socket
) -> None:
    proxy.turn(Fault.BLACKHOLE)
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        said(client, b"hello")
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=0.1) as late,
        pytest.raises(TimeoutError),
    ):
        said(late, b"hello")
    proxy.turn(Fault.OK)
    assert client.recv(1) == b""


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.REFUSE])
def test_open_connections_are_reset(proxy: FaultProxy, client: socket.socket, fault: Fault) -> None:
    proxy.turn(fault)
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_new_connection_is_accepted_and_reset(proxy: FaultProxy) -> None:
    proxy.turn(Fault.RESET)
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=2)
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_refusing_port_is_open_again_afterwards(proxy: FaultProxy) -> None:
    proxy.turn(Fault.REFUSE)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=2)
    proxy.turn(Fault.OK)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as client:
        assert said(client, b"hello") == b"hello"


def test_a_reply_is_cut_in_its_middle(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.turn(Fault.CUT)
    assert said(client, b"hello") == b"he"


def test_a_slow_reply_drips_until_the_fault_ends(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.turn(Fault.SLOW, 0.05)
    began = time.monotonic()
    assert said(client, b"hello") == b"hello"
    assert time.monotonic() - began >= 0.2
    proxy.turn(Fault.SLOW, 0.3)
    client.sendall(b"0123456789")
    assert client.recv(10) == b"0"
    proxy.turn(Fault.OK)
    assert client.recv(10)


def test_closing_leaves_no_thread() -> None:
    before = threading.active_count()
    proxy = FaultProxy(("127.0.0.1", 9))
    proxy.turn(Fault.BLACKHOLE)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as client:
        client.sendall(b"hello")
        proxy.close()
        assert threading.active_count() == before

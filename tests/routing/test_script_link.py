"""The call path's connection through outages: a late reply never answers another call."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex, Miss
from routing.link import ScriptLink
from routing.route import Route
from tests.routing.facts import a_call, a_truth, phone
from tests.routing.stored_index import StoredIndex
from tests.services.redis_server import RedisServer

TRUTH = a_truth(40)


@pytest.fixture(scope="module")
def own_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(own_server: RedisServer) -> RedisServer:
    """A server with an index that a test may freeze or restart."""
    with own_server.client() as client:
        client.flushall()
        StoredIndex(client, Layout(1)).rebuild(TRUTH)
    return own_server


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """A client with the time-outs of the call path."""
    with impatient(server) as client:
        yield client


def impatient(server: RedisServer) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=server.socket,
        socket_timeout=0.1,
        socket_connect_timeout=0.1,
        retry=Retry(NoBackoff(), 0),
    )


def ask(index: CampaignIndex, i: int) -> Route | Miss:
    return index.arrive(a_call(phone(i), f"CA{i}"), phone(i))


def is_right(found: Route | Miss, i: int) -> bool:
    return isinstance(found, Route) and found.number == TRUTH.numbers[phone(i)]


@pytest.fixture
def frozen(server: RedisServer) -> Iterator[RedisServer]:
    server.freeze()
    try:
        yield server
    finally:
        server.thaw()


def test_a_frozen_server_costs_one_time_out_and_its_late_reply_answers_nobody(
    server: RedisServer, client: redis.Redis
) -> None:
    index = CampaignIndex(client, Layout(1))
    assert is_right(ask(index, 0), 0)
    server.freeze()
    try:
        for i in range(1, 4):
            began = time.monotonic()
            with pytest.raises(redis.TimeoutError):
                ask(index, i)
            assert time.monotonic() - began < 1
    finally:
        server.thaw()
    for i in range(10, 20):
        assert is_right(ask(index, i), i)


def test_eight_threads_get_their_own_answers_before_during_and_after_a_freeze(
    server: RedisServer, client: redis.Redis
) -> None:
    index = CampaignIndex(client, Layout(1))
    stop = threading.Event()
    wrong: list[int] = []
    late = threading.Event()

    def keep_asking(thread: int) -> tuple[int, int]:
        right = failed = 0
        i = thread
        while not stop.is_set():
            i = (i + 8) % 40
            try:
                found = ask(index, i)
            except redis.RedisError:
                failed += 1
                late.set()
                continue
            right += 1
            if not is_right(found, i):
                wrong.append(i)
        return right, failed

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(keep_asking, thread) for thread in range(8)]
        try:
            time.sleep(0.1)
            server.freeze()
            try:
                assert late.wait(5)
            finally:
                server.thaw()
            time.sleep(0.2)
        finally:
            stop.set()
        totals = [task.result(10) for task in running]
    assert wrong == []
    assert all(right for right, _failed in totals)


def test_a_restarted_server_is_found_again(server: RedisServer, client: redis.Redis) -> None:
    index = CampaignIndex(client, Layout(1))
    assert is_right(ask(index, 0), 0)
    server.stop()
    try:
        for i in range(3):
            with pytest.raises(redis.ConnectionError):
                ask(index, i)
    finally:
        server.start()
    for i in range(5):
        assert is_right(ask(index, i), i)


def test_a_server_that_restarted_unseen_costs_at_most_one_call_a_thread(
    server: RedisServer, client: redis.Redis
) -> None:
    index = CampaignIndex(client, Layout(1))
    ask(index, 0)
    server.stop()
    server.start()
    with suppress(redis.ConnectionError):
        ask(index, 1)
    for i in range(2, 7):
        assert is_right(ask(index, i), i)


def test_calls_that_were_journaled_before_a_crash_are_there_after_it(
    server: RedisServer, client: redis.Redis
) -> None:
    index = CampaignIndex(client, Layout(1))
    for i in range(20):
        ask(index, i)
    server.stop()
    server.start()
    with server.client() as other:
        arrivals = [entry.arrival for entry in StoredIndex(other, Layout(1)).take_all()]
    assert [arrival and arrival.call.call_sid for arrival in arrivals] == [f"CA{i}" for i in range(20)]


def test_a_connection_cut_by_the_server_costs_at_most_one_call(
    server: RedisServer, client: redis.Redis
) -> None:
    index = CampaignIndex(client, Layout(1))
    ask(index, 0)
    with server.client() as other:
        other.client_kill_filter(_type="normal", skipme=True)
    with suppress(redis.ConnectionError):
        ask(index, 1)
    assert is_right(ask(index, 2), 2)


def test_a_refusal_keeps_the_connection(server: RedisServer, client: redis.Redis) -> None:
    with server.client() as other:
        link = ScriptLink(client, "return redis.error_reply(ARGV[1])")
        for refusal in ("OOM no", "ERR no", "MISCONF no"):
            with pytest.raises(redis.ResponseError):
                link.run((), refusal)
        before = other.info("stats")["total_connections_received"]
        for refusal in ("OOM no", "ERR no", "MISCONF no"):
            with pytest.raises(redis.ResponseError):
                link.run((), refusal)
        assert other.info("stats")["total_connections_received"] == before
        # One that was demoted is left, so that the next call finds its successor.
        for _ in range(3):
            with pytest.raises(redis.exceptions.ReadOnlyError):
                link.run((), "READONLY no")
        assert other.info("stats")["total_connections_received"] == before + 2


def test_each_thread_has_a_connection_of_its_own_and_gives_it_back(
    server: RedisServer, client: redis.Redis
) -> None:
    with server.client() as other:
        index = CampaignIndex(client, Layout(1))
        before = other.info("clients")["connected_clients"]
        all_asked = threading.Barrier(5)

        def work(i: int) -> None:
            ask(index, i)
            all_asked.wait(10)

        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(work, i) for i in range(4)]
            while other.info("clients")["connected_clients"] < before + 4:
                time.sleep(0.005)
            all_asked.wait(10)
            for task in running:
                task.result(10)
        deadline = time.monotonic() + 5
        while other.info("clients")["connected_clients"] > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert other.info("clients")["connected_clients"] <= before


_FORKING = """
import os, sys
import redis
from routing.link import ScriptLink

client = redis.Redis(unix_socket_path=sys.argv[1], socket_timeout=5)
link = ScriptLink(client, "return ARGV[1]")
link.run((), "before")
child = os.fork()
me = b"child" if child == 0 else b"parent"
answers = {link.run((), me) for _ in range(2000)}
right = answers == {me}
if child == 0:
    os._exit(0 if right else 1)
_, status = os.waitpid(child, 0)
sys.exit(0 if right and status == 0 else 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_read_its_parent_s_replies(server: RedisServer) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _FORKING, server.socket],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*2\r\n$6\r\n1 7", b"", b"\x00\xff\xfe", b"$-5\r\n", b"*1\r\n"],
    ids=["another-protocol", "cut-mid-reply", "closed-at-once", "noise", "nonsense-length", "half-a-list"],
)
def test_a_server_that_talks_nonsense_is_a_redis_error(reply: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply)

        talker = threading.Thread(target=talk)
        talker.start()
        plain = redis.Redis(
            port=port,
            socket_timeout=0.2,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
        try:
            with pytest.raises(redis.RedisError):
                ScriptLink(plain, "return 1").run(())
        finally:
            talker.join(5)
            plain.close()


def test_a_server_that_drips_its_reply_does_not_hold_the_caller() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                for byte in b"*2\r\n$6\r\n1 7 11\r\n$24\r\n" + b"x" * 24 + b"\r\n":
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)

        dripper = threading.Thread(target=drip)
        dripper.start()
        plain = redis.Redis(
            port=listener.getsockname()[1],
            socket_timeout=0.25,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
        began = time.monotonic()
        try:
            with suppress(redis.RedisError):
                ScriptLink(plain, "return 1").run(())
            assert time.monotonic() - began < 2
        finally:
            dripper.join(10)
            plain.close()

"""The embedded Redis: durable, private, alone with its data, found again by its address."""

import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scripts import embedded
from scripts.embedded_address import embedded_url, socket_path
from tests.services import lifetime


@pytest.fixture
def var() -> Iterator[Path]:
    with lifetime.Directory() as directory:
        yield directory.path / "var"


@pytest.fixture
def store(var: Path) -> Iterator[embedded.EmbeddedRedis]:
    store = embedded.start(var)
    yield store
    store.stop(grace=5)


def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=5)


def test_what_was_acknowledged_is_there_again_after_a_kill(var: Path) -> None:
    first = embedded.start(var)
    with client_of(first.url) as client:
        client.set("kept", "yes")
    first.stop(grace=0)
    second = embedded.start(var)
    with client_of(second.url) as client:
        assert client.get("kept") == b"yes"
    second.stop(grace=5)


def test_it_syncs_every_write_evicts_nothing_and_opens_no_port(store: embedded.EmbeddedRedis) -> None:
    with client_of(store.url) as client:
        settings = client.config_get("*")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert settings["port"] == "0"


def test_only_its_user_can_open_folder_and_socket(store: embedded.EmbeddedRedis) -> None:
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.socket.stat().st_mode) == 0o700


@pytest.mark.parametrize("length", [80, 100, 101, 250])
def test_a_folder_with_a_long_path_gets_a_socket_that_can_be_opened(var: Path, length: int) -> None:
    room = length - len(str(var / "redis" / "redis.sock")) - 1
    deep = var / ("d" * max(room, 1))
    store = embedded.start(deep)
    with client_of(embedded_url(deep)) as client:
        assert client.ping()
    assert (socket_path(deep).parent == deep / "redis") is (length <= 100)
    store.stop(grace=5)
    assert not socket_path(deep).exists()


def test_odd_characters_in_the_path_survive_the_url(var: Path) -> None:
    odd = var / "a b%20c?d#é"
    store = embedded.start(odd)
    with client_of(embedded_url(odd)) as client:
        assert client.ping()
    store.stop(grace=5)


def test_a_second_one_on_the_same_data_is_refused(
    var: Path, store: embedded.EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_PATIENCE", 0.1)
    with pytest.raises(embedded.StoreFailed, match="another Redis is still running"):
        embedded.start(var)
    with client_of(store.url) as client:
        assert client.ping()


def test_a_server_that_cannot_load_its_data_is_reported_with_its_last_words(var: Path) -> None:
    store = embedded.start(var)
    with client_of(store.url) as client:
        client.set("kept", "yes")
    store.stop(grace=5)
    manifest = store.directory / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("spoilt\n")
    with pytest.raises(embedded.StoreFailed, match=r"Redis ended \(exit status 1\): .*(?i:aof|manifest)"):
        embedded.start(var)


def test_data_moves_between_the_systems_redis_and_the_packaged_one(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = shutil.which("redis-server")
    seen: list[int] = []
    for found in (None, installed, None):
        monkeypatch.setattr(shutil, "which", lambda _name, found=found: found)
        store = embedded.start(var)
        with client_of(store.url) as client:
            seen.append(client.incr("starts"))
            client.bgrewriteaof()
        store.stop(grace=5)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("said", ["Redis server v=6.2.14 sha=0", "Redis server v=x", ""])
def test_a_redis_too_old_for_the_data_is_passed_over(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "redis-server"
    old.write_text(f"#!/bin/sh\necho '{said}'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert embedded.server_binary().endswith("valkey-server")


def test_a_start_that_is_called_off_returns_at_once(var: Path) -> None:
    called_off = threading.Event()
    called_off.set()
    store = embedded.start(var, called_off)
    store.stop(grace=5)
    assert store.child.has_ended()

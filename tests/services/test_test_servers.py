"""The servers of the tests are the real ones, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests.services import redis_server as redis_launcher
from tests.services.postgres import PostgresServer
from tests.services.redis_server import NoRedis, RedisServer, redis_binary

_RUN_THAT_IS_KILLED = """
import sys
from tests.services.postgres import PostgresServer
from tests.services.redis_server import RedisServer
servers = (RedisServer(), PostgresServer())
for server in servers:
    print(server.pid, server._directory.path, flush=True)
sys.stdin.read()
"""


def test_redis_keeps_every_write_on_disk_over_a_restart() -> None:
    with RedisServer() as server, server.client() as client:
        settings = client.config_get("append*") | client.config_get("save", "maxmemory-policy")
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "always"
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["save"] == ""
        client.set("k", "v")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        with redis.Redis.from_url(server.url) as over_tcp:
            assert over_tcp.get("k") == b"v"


def test_a_frozen_redis_answers_nothing_until_it_thaws() -> None:
    with RedisServer() as server, server.client() as client, server.client() as impatient:
        impatient.connection_pool.connection_kwargs["socket_timeout"] = 0.1
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            impatient.ping()
        server.thaw()
        assert client.ping()


def test_valkey_is_not_taken_for_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretender = tmp_path / "redis-server"
    pretender.write_text("#!/bin/sh\necho Valkey server v=8.0.0\n")
    pretender.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_launcher, "_packaged_binary", lambda: None)
    redis_binary.cache_clear()
    try:
        with pytest.raises(NoRedis):
            redis_binary()
    finally:
        redis_binary.cache_clear()


def test_postgres_keeps_its_data_over_a_restart() -> None:
    with PostgresServer() as server:
        url = server.create_database().replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'ü' AS word")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url).close()
        server.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("ü",)]
            assert connection.execute("SHOW server_encoding").fetchall() == [("UTF8",)]
        directory = server.directory
    assert not directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has doors that are closed to others")
def test_postgres_starts_where_its_programs_are_closed_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.stat

    def closed(path: Path, **kwargs: bool) -> os.stat_result:
        found = original(path, **kwargs)
        return os.stat_result([found.st_mode & ~0o001, *found[1:]]) if path.name == "pginstall" else found

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", closed)
        server = PostgresServer()
    with server:
        assert server._copy is not None
        copied = server._copy.path
        assert server.create_database()
    assert not copied.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_run_leaves_no_process_and_the_next_run_removes_its_files() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN_THAT_IS_KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with run:
        assert run.stdout is not None
        started = [run.stdout.readline().split() for _ in range(2)]
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(_runs(int(pid)) for pid, _ in started):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    RedisServer().close()
    assert not [path for _, path in started if Path(path).exists()]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # where nobody collects orphans, they stay as names without a process

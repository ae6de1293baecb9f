"""`hookswitch serve`: becomes gunicorn, bound and sized by the settings, or says what is wrong with them."""

import fcntl
import importlib
import os
import re
import stat
from pathlib import Path

import pytest

from scripts import serve
from scripts.cli import run

ENVIRONMENT = {
    "SECRET_KEY": "s" * 32,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "t" * 32,
    "PORT": "8123",
    "WEB_CONCURRENCY": "3",
}


class Become(Exception):
    """Stands for the exec that would replace this process."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        super().__init__()
        self.words = words
        self.environ = environ


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def become(_program: str, words: list[str], environ: dict[str, str]) -> None:
        raise Become(words, environ)

    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "execve", become)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def served(*arguments: str) -> Become:
    with pytest.raises(Become) as become:
        run(serve.command, arguments)
    return become.value


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


@pytest.mark.parametrize(
    ("public", "bind"),
    [
        (None, "127.0.0.1:8123"),
        ("http://localhost:8123", "127.0.0.1:8123"),
        ("https://calls.example.com", "0.0.0.0:8123"),
    ],
)
def test_only_a_public_installation_listens_to_other_machines(
    monkeypatch: pytest.MonkeyPatch, public: str | None, bind: str
) -> None:
    if public:
        monkeypatch.setenv("PUBLIC_BASE_URL", public)
    assert option(served().words, "--bind") == bind


def test_an_address_given_on_the_command_line_wins() -> None:
    assert option(served("--bind", "unix:/run/web.sock").words, "--bind") == "unix:/run/web.sock"


def test_only_named_proxies_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert option(served().words, "--forwarded-allow-ips") == ""
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    assert option(served().words, "--forwarded-allow-ips") == "10.0.0.0/8,192.0.2.1/32"


def test_gunicorn_understands_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    words = served().words
    assert words[1:3] == ["-m", "gunicorn"]
    monkeypatch.setattr("sys.argv", words[2:])
    gunicorn = importlib.import_module("gunicorn.app.wsgiapp")  # published without types
    loaded = gunicorn.WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").cfg
    assert (loaded.worker_class_str, loaded.threads, loaded.workers) == ("gthread", 4, 3)
    assert loaded.graceful_timeout >= 20
    assert loaded.control_socket_disable
    assert loaded.accesslog is None


def test_each_server_counts_in_a_folder_of_its_own_that_is_closed_to_others(folder: Path) -> None:
    counts = Path(served().environ["PROMETHEUS_MULTIPROC_DIR"])
    assert counts.parent == folder / "var" / "metrics"
    assert list(counts.iterdir()) == []
    for made in (counts, counts.parent, folder / "var"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_counts_of_servers_that_are_gone_are_removed_and_those_of_others_stay(folder: Path) -> None:
    base = folder / "var" / "metrics"
    gone, alive, foreign = base / "hookswitch-1", base / "hookswitch-2", base / "something"
    for counts in (gone, alive, foreign):
        counts.mkdir(parents=True)
        (counts / "counter_1.db").touch()
    opened = os.open(alive, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_SH)
    mine = Path(served().environ["PROMETHEUS_MULTIPROC_DIR"])
    os.close(opened)
    assert set(base.iterdir()) == {alive, foreign, mine}
    assert (alive / "counter_1.db").exists()


def test_metrics_have_an_address_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served().words.count("--bind") == 1
    monkeypatch.setenv("METRICS_ADDRESS", "127.0.0.1:9464")
    words = served("--bind", "unix:/run/web.sock").words
    assert [words[i + 1] for i, word in enumerate(words) if word == "--bind"] == [
        "unix:/run/web.sock",
        "127.0.0.1:9464",
    ]


def test_a_missing_setting_stops_it_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    assert run(serve.command, []) == 1
    assert re.fullmatch(r"hookswitch: TWILIO_AUTH_TOKEN: is missing.*\n", capsys.readouterr().err)


def test_wrong_usage_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(serve.command, ["--bnd", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

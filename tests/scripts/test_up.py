"""`hookswitch up`: one command that starts everything, keeps its data and leaves nothing running."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from xml.etree import ElementTree as ET

import pytest
import requests
from dotenv import dotenv_values
from twilio.request_validator import RequestValidator

from scripts import demo
from tests.services import lifetime
from tests.services.ports import free_port

ROOT = Path(__file__).parents[2]
SETTINGS = re.compile(
    r"DATABASE_|REDIS_|SECRET_KEY|PUBLIC_|TWILIO_|METRICS_|WEB_|PORT$|LOG_|TRUSTED_|PROMETHEUS_|GUNICORN_"
)
CALL_SID = "CA" + "0" * 31

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def environment(port: int, **given: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
    return bare | {"PORT": str(port), "WEB_CONCURRENCY": "1", "PYTHONPATH": str(ROOT)} | given


def eventually(condition: Callable[[], object], patience: float = 60.0) -> bool:
    deadline = time.monotonic() + patience
    while not (fulfilled := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(fulfilled)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def offspring(pid: int) -> dict[int, str]:
    """All processes below one, with their command lines."""
    found: dict[int, str] = {}
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            found |= offspring(child)
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended while we looked
    return found


class Up:
    """A running `hookswitch up` in a folder."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scripts.up"],
                cwd=folder,
                env=environment(self.port, **given),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            assert eventually(lambda: "Ctrl-C stops" in self.output or self._process.poll() is not None)
            assert self._process.poll() is None, self.output
        except BaseException:
            self.kill()
            raise
        self.parts = offspring(self._process.pid)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def part(self, words: str) -> int:
        """The first process whose command line has `words`."""
        return next(pid for pid, command in self.parts.items() if words in command)

    def ring(self, number: str, call_sid: str = CALL_SID + "1") -> ET.Element:
        secrets = dotenv_values(self.folder / "var" / "local.env")
        path = "/webhooks/twilio/voice"
        account, token = secrets["TWILIO_ACCOUNT_SID"], secrets["TWILIO_AUTH_TOKEN"]
        form = {"CallSid": call_sid, "AccountSid": account, "To": number, "From": "+14155550142"}
        base = f"http://127.0.0.1:{self.port}"
        signature = RequestValidator(token).compute_signature(base + path, form)
        answer = requests.post(base + path, form, headers={"X-Twilio-Signature": signature}, timeout=10)
        assert answer.status_code == 200
        return ET.fromstring(answer.content)

    def signal(self, number: signal.Signals) -> int:
        """Send it and wait for the end; returns the exit status."""
        self._process.send_signal(number)
        return self._process.wait(timeout=120)

    def wait(self) -> int:
        return self._process.wait(timeout=120)

    def has_left_nothing(self) -> bool:
        return eventually(lambda: not any(map(is_alive, self.parts)))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)


@pytest.fixture
def folder() -> Iterator[Path]:
    with lifetime.Directory() as directory:
        yield directory.path


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    with lifetime.Directory() as directory, Up(directory.path) as up:
        yield up


def verbs(twiml: ET.Element) -> list[str]:
    return [verb.tag for verb in twiml]


def run_up(folder: Path, port: int, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.up"],
        cwd=folder,
        env=environment(port, **given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def logged_calls(folder: Path) -> list[str]:
    """Those that were rung here, beside the demo's own."""
    with sqlite3.connect(folder / "var" / "hookswitch.db") as database:
        ours = "SELECT call_sid FROM calls WHERE call_sid LIKE ? ORDER BY call_sid"
        rows = database.execute(ours, [f"{CALL_SID}%"]).fetchall()
    database.close()
    return [call_sid for (call_sid,) in rows]


@pytest.mark.parametrize(
    ("meaning", "verb"),
    [("live", "Dial"), ("referral", "Say"), ("paused", "Reject"), ("released", "Reject")],
)
def test_the_demo_numbers_are_answered_at_once(running: Up, meaning: str, verb: str) -> None:
    number = next(sample.number for sample in demo.SAMPLES if sample.meaning.startswith(meaning))
    assert verb in verbs(running.ring(number.e164))


def test_it_says_where_to_go_and_what_to_ring(running: Up) -> None:
    assert f"http://127.0.0.1:{running.port}/webhooks/twilio/voice" in running.output
    for sample in demo.SAMPLES:
        assert f"call {sample.number.e164}" in running.output


def test_the_admin_signs_in_with_the_password_that_is_printed(running: Up) -> None:
    [(email, password)] = re.findall(r"Sign in as (\S+) with the one-time password (\S+)", running.output)
    base = f"http://127.0.0.1:{running.port}"
    answer = requests.post(f"{base}/api/v1/session", json={"email": email, "password": password}, timeout=10)
    assert (answer.status_code, answer.json()["due"]) == (200, "new_password")


def test_its_secrets_and_data_are_closed_to_others(running: Up) -> None:
    var = running.folder / "var"
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert stat.S_IMODE((var / "local.env").stat().st_mode) == 0o600


@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk needs curl")
def test_the_walk_for_integrators_works_as_written(running: Up) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    walk = readme.partition("## A walk for integrators\n")[2].partition("\n## ")[0]
    typed = "".join(re.findall(r"^```sh\n(.*?)^```", walk, re.MULTILINE | re.DOTALL))
    # A call is in the log a moment after it was answered: sooner than one types, later than bash does.
    logged = """until send "$API/calls?campaign_id=$CAMPAIGN" | grep -q '"decision"'; do sleep 0.05; done"""
    typed = typed.replace('send "$API/calls', f'{logged}\nsend "$API/calls')
    (running.folder / ".venv").symlink_to(sys.prefix)
    walked = subprocess.run(
        ["bash", "-eu"],
        input=typed.replace(":8000", f":{running.port}"),
        cwd=running.folder,
        env=environment(running.port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (walked.returncode, walked.stderr) == (0, "")
    answers = [json.loads(line) for line in walked.stdout.splitlines() if line.startswith("{")]
    created, number, now, earlier, calls, report, wrong, changed = answers
    assert created["state"] == "live"
    assert number["campaign_id"] == created["id"]
    assert (now["decision"], earlier["reason"]) == ("connect", "scheduled")
    assert "<Number" in walked.stdout
    assert [call["tracking_number"] for call in calls["items"]] == ["+15005550150"]
    assert [row["calls"] for row in report["items"]] == [1]
    assert {error["field"] for error in wrong["errors"]} == {"name", "ends_at"}
    assert (changed["name"], changed["revision"]) == ("Summer leaflet, second print", 2)


def test_a_second_one_in_the_same_folder_is_refused_in_one_line(running: Up) -> None:
    second = run_up(running.folder, free_port())
    assert second.returncode == 1
    assert re.fullmatch(r"hookswitch: .* is running already in .*\n", second.stderr)
    assert verbs(running.ring("+15005550100")) == ["Dial"]


def test_a_second_start_keeps_the_data(folder: Path) -> None:
    with Up(folder) as first:
        first.ring("+15005550100", CALL_SID + "1")
        assert "one-time password" in first.output
        secrets = (folder / "var" / "local.env").read_bytes()
        assert first.signal(signal.SIGINT) == 0
        assert first.has_left_nothing()
        assert len(first.parts) >= 4  # Redis, worker, gunicorn and its process
    with Up(folder) as second:
        assert (folder / "var" / "local.env").read_bytes() == secrets
        assert "one-time password" not in second.output
        second.ring("+15005550100", CALL_SID + "2")
        assert eventually(lambda: logged_calls(folder) == [CALL_SID + "1", CALL_SID + "2"])
        assert second.signal(signal.SIGTERM) == 0
        assert second.has_left_nothing()


@pytest.mark.parametrize(
    ("command", "name"),
    [("redis.sock", "Redis"), ("scripts.worker", "the worker"), ("gunicorn", "the web server")],
)
def test_the_death_of_a_part_stops_the_others(folder: Path, command: str, name: str) -> None:
    with Up(folder) as up:
        os.kill(up.part(command), signal.SIGKILL)
        assert up.wait() == 1
        assert f"hookswitch: {name} died (signal SIGKILL); everything is stopped" in up.output
        assert up.has_left_nothing()


def test_even_a_kill_leaves_nothing_running(folder: Path) -> None:
    with Up(folder) as up:
        up.kill()
        assert up.has_left_nothing()


def test_a_busy_port_is_told_in_one_line_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_up(folder, port)
    assert refused.returncode == 1
    assert re.fullmatch(rf"hookswitch: port {port} cannot be used .*\n", refused.stderr)
    assert not (folder / "var" / "redis").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("REDIS_URL", "localhost:6379"),
        ("PUBLIC_BASE_URL", "http://calls.example.com"),
        ("TRUSTED_PROXIES", "everyone"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(folder: Path, name: str, value: str) -> None:
    refused = run_up(folder, free_port(), **{"SECRET_KEY": "s" * 32, name: value})
    assert refused.returncode == 1
    assert re.fullmatch(r"hookswitch: [A-Z_]+: .*\n", refused.stderr)
    assert value not in refused.stderr


def test_no_secret_is_made_up_for_a_public_address(folder: Path) -> None:
    refused = run_up(folder, free_port(), PUBLIC_BASE_URL="https://calls.example.com")
    assert refused.returncode == 1
    assert refused.stderr.startswith("hookswitch: SECRET_KEY: is missing")
    assert not (folder / "var" / "local.env").exists()

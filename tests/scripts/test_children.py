"""Child processes: stopped in order, killed when they will not go, gone when their starter is."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.children import Child

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
time.sleep(60)
"""
STARTER = """
import time
from scripts.children import Child
print(Child('part', ['/bin/sleep', '60']).pid, flush=True)
time.sleep(60)
"""


def python(source: str) -> list[str]:
    return [sys.executable, "-I", "-c", source]


def eventually(condition: Callable[[], object], patience: float = 10.0) -> bool:
    deadline = time.monotonic() + patience
    while not (fulfilled := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(fulfilled)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that is dead but not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("pass", "exit status 0"),
    ],
)
def test_its_ending_is_told_in_words(source: str, words: str) -> None:
    child = Child("part", python(source))
    assert eventually(child.has_ended)
    assert child.ending() == words
    assert child.has_ended()


def test_a_program_that_is_not_there_ends_with_a_line_in_the_log(tmp_path: Path) -> None:
    child = Child("part", ["/nowhere/program"], log=tmp_path / "log")
    assert eventually(child.has_ended)
    assert child.ending() == "exit status 1"
    assert (tmp_path / "log").read_text() == "/nowhere/program cannot be run: No such file or directory\n"


def test_one_that_ends_when_asked_is_not_killed() -> None:
    child = Child("part", ["/bin/sleep", "60"])
    assert not child.has_ended()
    child.stop(grace=10)
    assert child.ending() == "signal SIGTERM"


@pytest.mark.parametrize(("grace", "hurries"), [(0.1, False), (60.0, True)])
def test_one_that_will_not_go_is_killed_after_its_grace_or_in_a_hurry(
    tmp_path: Path, *, grace: float, hurries: bool
) -> None:
    child = Child("part", python(DEAF), log=tmp_path / "log")
    assert eventually((tmp_path / "log").read_text)
    hurry = threading.Event()
    if hurries:
        hurry.set()
    child.stop(grace, hurry)
    assert child.ending() == "signal SIGKILL"


def test_what_a_dead_program_leaves_behind_is_stopped_too(tmp_path: Path) -> None:
    child = Child(
        "part",
        python("import subprocess; print(subprocess.Popen(['/bin/sleep', '60']).pid, flush=True)"),
        log=tmp_path / "log",
    )
    assert eventually(child.has_ended)
    orphan = int((tmp_path / "log").read_text())
    assert is_alive(orphan)
    child.stop(grace=1)
    assert eventually(lambda: not is_alive(orphan))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_kill_of_its_starter_ends_it() -> None:
    root = str(Path(__file__).parents[2])
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert starter.stdout is not None
    with starter.stdout:
        pid = int(starter.stdout.readline())
    assert is_alive(pid)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert eventually(lambda: not is_alive(pid))

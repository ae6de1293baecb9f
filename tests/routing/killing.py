"""Die, as by kill -9, at any step on the way to the disk; for programs that tests start.

They fork, which a test process with its threads must not.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run_program(source: str, *arguments: object) -> str:
    """Run Python source beside the project, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source, *map(str, arguments)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dies_at(step: int, job: Callable[[Callable[[], None]], None]) -> bool:
    """Run `job` in a fork that is killed at its `step`-th step; whether it got so far.

    Steps are the moments before and after each system call that changes the disk, the middle of
    each write, and those at which the job calls what it is handed.
    """
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    failed = 1
    try:
        steps = _Steps(step)
        for name in ("fsync", "replace", "unlink"):
            setattr(os, name, partial(steps.around, getattr(os, name)))
        os.write = partial(steps.halved, os.write)
        job(steps.step)
        failed = 0
    finally:
        os._exit(failed)


class _Steps:
    def __init__(self, left: int) -> None:
        self._left = left

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, real: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        self.step()
        result = real(*arguments, **settings)
        self.step()
        return result

    def halved(self, real: Callable[[int, bytes], int], descriptor: int, content: bytes) -> int:
        self.step()
        written = real(descriptor, content[: len(content) // 2])
        self.step()
        written += real(descriptor, content[written:])
        self.step()
        return written

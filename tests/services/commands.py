"""A command of ours as a process of its own, under the environment of the test."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.services import lifetime

ROOT = Path(__file__).parents[2]
"""Goes into PYTHONPATH: commands run in a folder of their own."""


class Command:
    """`python -m scripts.<name>`, running in `folder`; what it prints is in `output`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._output = folder / f"{name}.out"
        self._process = lifetime.start(
            [sys.executable, "-m", f"scripts.{name}"], self._output, death_signal=signal.SIGKILL
        )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it logged as JSON; fails on any line that is none."""
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, condition: Callable[[], object], patience: float = 20.0) -> None:
        """Wait for something that this command is to bring about."""
        deadline = time.monotonic() + patience
        while not condition():
            assert self.is_running, f"{self._name} ended: {self.output}"
            assert time.monotonic() < deadline, f"{self._name} did not get there: {self.output}"
            time.sleep(0.01)

    def send(self, asking: signal.Signals) -> None:
        self._process.send_signal(asking)

    def wait(self, patience: float = 10.0) -> int:
        """Wait for its end and return its exit status."""
        return self._process.wait(patience)

    def stop(self, asking: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> int:
        """Ask it to stop and return its exit status."""
        self.send(asking)
        return self.wait(patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running:
            self._process.kill()
            self._process.wait()

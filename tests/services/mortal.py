"""Processes that are killed at a chosen moment: after a commit, before or after a request.

They run commands, or a round of a worker.

The moments of one run are numbered as they come; the process kills itself (SIGKILL) at the one that
was chosen. They are forked from one process that has imported everything, so that many runs are quick.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tests.services.commands import ROOT

A_ROUND = ("a round of the worker's loop for numbers",)
"""What a worker does once a second, instead of a command."""


class Mortal:
    """Runs commands under the environment of the test."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.services.mortal"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def run(self, words: Sequence[str], dies_at: int | None = None) -> int:
        """The exit status; -9 if it was killed at moment `dies_at`, which counts from 1."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([words, dies_at]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@contextlib.contextmanager
def mortal() -> Iterator[Mortal]:
    runner = Mortal()
    try:
        yield runner
    finally:
        runner.close()


def _serve() -> None:
    # What the commands need is imported once, here.
    from scripts import number_keeping, numbers  # noqa: F401
    from webhooks.carriers import twilio_numbers  # noqa: F401

    for line in sys.stdin:
        words, dies_at = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_run(words, dies_at))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(words: list[str], dies_at: int | None) -> int:
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    from scripts.cli import hookswitch, run
    from webhooks.carriers.twilio_http import PatientHttpClient

    moments = iter(range(1, 10_000))

    def moment(*_: object) -> None:
        if next(moments) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    whole = PatientHttpClient.request

    def request(self: PatientHttpClient, *arguments: Any, **named: Any) -> Any:
        moment()
        answer = whole(self, *arguments, **named)
        moment()
        return answer

    PatientHttpClient.request = request  # type: ignore[method-assign]
    event.listen(Session, "after_commit", moment)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    if dies_at is not None:
        os.dup2(silence, 2)
    return _round() if tuple(words) == A_ROUND else run(hookswitch, words)


def _round() -> int:
    from routing.index.writer import IndexWriter
    from scripts.assembly import parts
    from scripts.logs import quiet_logs
    from scripts.number_keeping import NumberKeeper
    from scripts.publication import Publication, at_once

    with parts() as opened, quiet_logs():
        publish = at_once(Publication(opened.database, IndexWriter(opened.redis, opened.layout)))
        NumberKeeper(opened.settings, opened.database, publish=publish).keep()
    return 0


if __name__ == "__main__":
    _serve()

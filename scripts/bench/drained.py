"""Drain the journal in a fresh process, as a worker does, until it is empty.

`python -m scripts.bench.drained` drains what the environment names and prints what it took.
"""

import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter, process_time

import click
import msgspec

from routing.journal import Journal
from scripts.assembly import parts
from scripts.bench.installation import Installation
from scripts.bench.processes import pinned_to
from scripts.collecting import collect_seldom
from scripts.draining import Drain

_PATIENCE = 120.0
_WAIT_MS = 1


@dataclass(frozen=True, slots=True)
class Drained:
    """What draining took; `cpu_seconds` of this process alone."""

    entries: int
    seconds: float
    cpu_seconds: float


def drain_apart(installation: Installation, core: set[int]) -> Drained:
    """Have a fresh process on `core` drain the journal of the installation."""
    with pinned_to(core):
        done = subprocess.run(
            [sys.executable, "-m", "scripts.bench.drained"],
            env=installation.environ,
            cwd=installation.directory,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise click.ClickException(f"the journal could not be drained: {last}")
    return msgspec.json.decode(done.stdout, type=Drained)


def main() -> None:
    collect_seldom()
    with parts() as opened:
        drain = Drain(Journal(opened.redis, opened.layout), opened.database, "bench")
        # The first round connects and prepares its statements, which a worker does once in its life.
        drain.drain(_WAIT_MS)
        began, cpu, entries = perf_counter(), process_time(), 0
        while done := drain.drain(_WAIT_MS):
            entries += done
        took = Drained(entries, perf_counter() - began, process_time() - cpu)
    sys.stdout.buffer.write(msgspec.json.encode(took))


if __name__ == "__main__":
    main()

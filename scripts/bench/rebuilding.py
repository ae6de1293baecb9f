"""Rebuild the index in a fresh process, so that its memory is that of the rebuild alone.

`python -m scripts.bench.rebuilding` rebuilds what the environment names and prints what it took.
"""

import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter

import click
import msgspec

from scripts.assembly import parts
from scripts.bench.installation import Installation
from scripts.bench.processes import peak_resident_bytes
from scripts.index_keeping import rebuild

_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What a rebuild took."""

    numbers: int
    seconds: float
    peak_bytes: int


def rebuild_apart(installation: Installation) -> Rebuilding:
    """Have a fresh process rebuild the index of the installation."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench.rebuilding"],
        env=installation.environ,
        cwd=installation.directory,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise click.ClickException(f"the index could not be rebuilt: {last}")
    return msgspec.json.decode(done.stdout, type=Rebuilding)


def main() -> None:
    with parts() as opened:
        began = perf_counter()
        built = rebuild(opened.database, opened.redis, opened.layout)
        took = Rebuilding(built.numbers, perf_counter() - began, peak_resident_bytes())
    sys.stdout.buffer.write(msgspec.json.encode(took))


if __name__ == "__main__":
    main()

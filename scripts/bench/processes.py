"""What Linux knows of a process: its cores, its processor time, its memory (proc(5))."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

_TICKS = os.sysconf("SC_CLK_TCK")
_KILO = 1024


@dataclass(frozen=True, slots=True)
class Cores:
    """The core that is measured, and all others for what takes part; the same where there is one."""

    measured: set[int]
    others: set[int]

    @property
    def are_apart(self) -> bool:
        return self.measured != self.others


def split_cores() -> Cores:
    """Divide the cores that this process may use; raise click's error where that cannot be done."""
    if sys.platform != "linux":
        raise click.ClickException("the benches pin processes to cores and read /proc: they need Linux")
    first, *rest = sorted(os.sched_getaffinity(0))
    return Cores({first}, set(rest) or {first})


@contextmanager
def pinned_to(cores: set[int]) -> Iterator[None]:
    """Keep this thread, and what it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = _after_name(stat.read_text())[1]
        except OSError:
            continue  # it ended while we were looking
        if int(parent) == pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def cpu_seconds(pids: list[int]) -> float:
    """Processor time, user and system, all threads; raise ProcessLookupError where one has ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = _after_name(Path(f"/proc/{pid}/stat").read_text())
        except OSError as error:
            raise ProcessLookupError(f"process {pid} has ended") from error
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident_bytes(pid: int | str = "self") -> int:
    return _status(pid, "VmRSS")


def peak_resident_bytes(pid: int | str = "self") -> int:
    """The most since the program began; `getrusage` would count what its starter had before."""
    return _status(pid, "VmHWM")


def _after_name(stat: str) -> list[str]:
    """The fields from the third (state) on; the second may hold spaces and brackets."""
    return stat.rpartition(") ")[2].split()


def _status(pid: int | str, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        label, _, value = line.partition(":")
        if label == name:
            return int(value.split()[0]) * _KILO
    raise ProcessLookupError(f"process {pid} has ended")

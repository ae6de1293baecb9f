"""The web applications that `bench voice` sets side by side, all with the same numbers and calls."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from statistics import median

from sqlalchemy import delete

from models.call import Call
from scripts.bench import plain, seeding, traffic
from scripts.bench.installation import Installation
from scripts.bench.load import write_requests
from scripts.bench.processes import Cores
from scripts.bench.web import Server, serving
from scripts.index_keeping import rebuild

WARM_UP = 1.0
"""Seconds."""
_NUMBERS = 2_000
_PLAIN_CALLS_A_SECOND = 2_000
"""More than the plain way can take; each of its calls needs a CallSid of its own."""
_MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Round:
    """One subject in one round; times in milliseconds unless named otherwise."""

    per_second: float
    cpu_microseconds: float
    p50: float
    p99: float
    generator_share: float
    """Of one core, while measuring at full speed."""

    @property
    def per_cpu_second(self) -> float:
        return _MEGA / self.cpu_microseconds


@dataclass(slots=True)
class Subject:
    """A web application under test; `logged` empties its log of calls and says how many there were."""

    title: str
    server: Server
    requests: Path
    logged: Callable[[], int] | None = None
    rounds: list[Round] = field(default_factory=list)

    @property
    def said(self) -> str:
        return f"its server said: {self.server.last_words()}"

    def typical(self, of: Callable[[Round], float]) -> float:
        return median(map(of, self.rounds))


def start(stack: ExitStack, installation: Installation, cores: Cores, seconds: float) -> list[Subject]:
    """Start the constant answer, bare Flask, the plain way and ours, in this order."""
    positions, now = range(_NUMBERS), datetime.now(UTC)
    database, settings = installation.database, installation.settings
    seeding.seed(database, positions, now)
    plain.prepare(database.engine, positions, now)
    rebuild(database, installation.redis, installation.layout)
    count = max(_NUMBERS * 3, ceil(_PLAIN_CALLS_A_SECOND * (seconds + WARM_UP)))
    calls = traffic.calls(settings.twilio, settings.public_base_url, positions, count)
    real, yard = installation.directory / "calls", installation.directory / "yardstick"
    write_requests(real, calls)
    write_requests(yard, traffic.with_any_dial(calls))

    def serve(application: str) -> Server:
        return stack.enter_context(serving(application, installation, cores.measured))

    return [
        Subject("bare WSGI, constant bytes", serve("scripts.bench.bare:wsgi()"), yard),
        Subject("bare Flask, constant bytes", serve("scripts.bench.bare:flask()"), yard),
        Subject(
            "the plain way, PostgreSQL",
            serve("scripts.bench.plain:application()"),
            real,
            lambda: plain.forget_calls(database.engine),
        ),
        Subject("ours, full", serve("wsgi:create_app()"), real, lambda: _forget_calls(installation)),
    ]


def _forget_calls(installation: Installation) -> int:
    """Empty journal and call log; return how many calls were in both.

    A call is in the log already where Redis took longer than a caller is kept waiting.
    """
    streams = [installation.layout.journal(p) for p in installation.layout.all_partitions()]
    journaled = sum(int(installation.redis.xlen(stream)) for stream in streams)
    installation.redis.delete(*streams)
    with installation.database.session() as session:
        return journaled + len(session.execute(delete(Call).returning(Call.id)).all())

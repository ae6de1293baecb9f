"""`hookswitch bench webhooks`: how soon endpoints hear of what happens, while a part of them hangs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import click
import msgspec
from rich.console import Console
from sqlalchemy import func, select

from models import call_log
from models.database import Database
from models.group import Group
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookEvent, open_lane
from prompts.phrases import CONSENT_VERSION
from routing.arrival import Arrival, Source
from routing.call import InboundCall
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, NumberFacts, Route
from scripts.bench.figures import Figure, at_least, at_most, below, percentile, print_figures
from scripts.bench.installation import Installation, throw_away
from scripts.bench.processes import cpu_seconds
from scripts.cli import run

_STEP = 0.1
"""Seconds from one batch of calls to the next, as a worker writes them."""
_SETTLING = 3.0
"""Seconds in which endpoints that hang are found out; what happens then is not measured."""
_DRAINED = 20_000
_TRACKING = PhoneNumber("+15005550100")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the receiver took: for each call, when it came, in seconds since 1970."""

    at: dict[str, float]
    requests: int


@dataclass(frozen=True, slots=True)
class _Measures:
    lags: list[float]
    sent: int
    seconds: float
    worker_cpu: float
    lost: int
    repeated: int
    quiet_rate: float
    listened_rate: float


@click.command(name="webhooks")
@click.option("--endpoints", type=click.IntRange(10, 10_000), default=1_000, show_default=True)
@click.option(
    "--rate", type=click.IntRange(10, 5_000), default=500, show_default=True, help="Events a second."
)
@click.option("--seconds", type=click.IntRange(2, 120), default=15, show_default=True)
@click.option(
    "--hang", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share that hangs."
)
@click.option(
    "--postgres", metavar="URL", envvar="BENCH_DATABASE_URL", help="Whose user may create databases."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *, endpoints: int, rate: int, seconds: int, hang: float, postgres: str | None, as_json: bool
) -> None:
    """Measure the delivery of webhooks: lag from commit to receipt, and what writing them costs the log.

    Each event is of one group with one endpoint; a share of the endpoints takes requests and never
    answers. Calls are written as a worker writes them, and a worker of its own process delivers.

    Example: hookswitch bench webhooks --seconds 10
    """
    with throw_away(postgres) as installation:
        measures = _measure(installation, endpoints, rate, seconds, hang)
    figures = [*_figures(measures, rate)]
    if as_json:
        click.echo(json.dumps([figure.as_json() for figure in figures]))
        return
    console = Console()
    print_figures(console, figures)
    console.print(
        f"{endpoints:,} endpoints, of which {hang:.0%} hang; {measures.sent:,} events to those that answer "
        f"in {measures.seconds:.0f} s; a receiver on this machine, without TLS."
    )


def _measure(installation: Installation, endpoints: int, rate: int, seconds: int, hang: float) -> _Measures:
    database = installation.database
    quiet_rate = _written(database, "quiet", None)
    with _receiving() as receiver:
        groups = _seed(database, endpoints, hang, receiver.port)
        environ = installation.environ | {"WEBHOOK_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "ERROR"}
        # Time in which every endpoint hears, so that those that hang are known.
        _write(database, "first", groups * 2, datetime.now(UTC))
        worker = subprocess.Popen(
            [sys.executable, "-m", "scripts.worker"], env=environ, cwd=installation.directory
        )
        try:
            time.sleep(_SETTLING)
            began, cpu = time.time(), cpu_seconds([worker.pid])
            written = _ring(database, groups, rate, seconds)
            took, used = time.time() - began, cpu_seconds([worker.pid]) - cpu
            answering = {sid: at for sid, (group, at) in written.items() if group.answers}
            _wait(database, groups)
        finally:
            worker.terminate()
            worker.wait(30)
        heard = receiver.stop()
    lags = [heard.at[sid] - at for sid, at in answering.items() if sid in heard.at]
    listened_rate = _written(database, "heard", groups[0])
    return _Measures(
        lags=lags,
        sent=len(answering),
        seconds=took,
        worker_cpu=used,
        lost=len(answering) - len(lags),
        repeated=heard.requests - len(heard.at),
        quiet_rate=quiet_rate,
        listened_rate=listened_rate,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """A group with its endpoint."""

    group_id: int
    answers: bool


def _seed(database: Database, endpoints: int, hang: float, port: int) -> list[_Place]:
    places = []
    with database.session() as session:
        root = Group(name="bench")
        session.add(root)
        session.flush()
        for number in range(endpoints):
            group = Group(name=f"group {number}", parent_id=root.id)
            session.add(group)
            session.flush()
            answers = number >= endpoints * hang
            endpoint = WebhookEndpoint(
                group_id=group.id,
                address=f"http://127.0.0.1:{port}/{'hook' if answers else 'hang'}",
                events=[WebhookEvent.CALL_STARTED.value],
                fields={},
                secret="whsec_" + "YmVuY2g=" * 4,
                created_at=datetime.now(UTC) - timedelta(days=1),
            )
            open_lane(session, endpoint)
            places.append(_Place(group.id, answers))
    return places


def _ring(
    database: Database, places: Sequence[_Place], rate: int, seconds: int
) -> dict[str, tuple[_Place, float]]:
    """Write calls at the rate; return the place of each, and when it was committed."""
    random = Random(1)  # noqa: S311 - the same calls each time
    written: dict[str, tuple[_Place, float]] = {}
    next_at = time.monotonic()
    for step in range(int(seconds / _STEP)):
        batch = random.choices(places, k=int(rate * _STEP))
        sids = _write(database, f"b{step}", batch, datetime.now(UTC))
        committed = time.time()
        written |= {sid: (place, committed) for sid, place in zip(sids, batch, strict=True)}
        next_at += _STEP
        time.sleep(max(0.0, next_at - time.monotonic()))
    return written


def _write(database: Database, name: str, places: Sequence[_Place | None], now: datetime) -> list[str]:
    arrivals = [_arrival(f"{name}-{n}", place, now) for n, place in enumerate(places)]
    call_log.record(database, arrivals, now, CONSENT_VERSION)
    return [arrival.call.call_sid for arrival in arrivals]


def _arrival(sid: str, place: _Place | None, now: datetime) -> Arrival:
    facts = CampaignFacts(
        1, revision=1, group_id=0 if place is None else place.group_id, starts_at=now - timedelta(days=1)
    )
    route = Route(NumberFacts(_TRACKING, campaign_id=1, number_id=1, revision=1), facts)
    return Arrival(InboundCall("twilio", sid, now, _TRACKING), route, Source.INDEX)


def _written(database: Database, name: str, place: _Place | None) -> float:
    """Calls a second that are written in batches of a thousand, all of one group."""
    began = time.perf_counter()
    for batch in range(_DRAINED // 1000):
        _write(database, f"{name}{batch}", [place] * 1000, datetime.now(UTC))
    return _DRAINED / (time.perf_counter() - began)


def _wait(database: Database, places: Sequence[_Place]) -> None:
    """Until those that answer have everything, for ten seconds at most."""
    answering = select(WebhookEndpoint.id).where(
        WebhookEndpoint.group_id.in_([place.group_id for place in places if place.answers])
    )
    waiting = select(func.count()).where(
        WebhookDelivery.status == DeliveryStatus.PENDING, WebhookDelivery.endpoint_id.in_(answering)
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with database.reading() as session:
            if not session.scalar(waiting):
                return
        time.sleep(_STEP)


class _Receiver:
    """`scripts.bench.webhook_receiver` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.port = port

    def stop(self) -> Heard:
        """End it; return what it has heard."""
        out, _ = self._process.communicate(b"", timeout=30)
        return msgspec.json.decode(out, type=Heard)


@contextmanager
def _receiving() -> Iterator[_Receiver]:
    command = [sys.executable, "-m", "scripts.bench.webhook_receiver"]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield _Receiver(process, int(process.stdout.readline()))
        finally:
            process.kill()


def _figures(measures: _Measures, rate: int) -> Iterator[Figure]:
    lags = measures.lags or [float("inf")]
    yield Figure("lag from commit to receipt, p50", percentile(lags, 0.5), "s")
    yield Figure("lag from commit to receipt, p99", percentile(lags, 0.99), "s", below(2))
    yield Figure("lag from commit to receipt, worst", max(lags), "s", below(2))
    yield Figure("events that did not arrive", measures.lost, goal=at_most(0))
    yield Figure("events that arrived twice", measures.repeated)
    yield Figure(
        "the worker's processor time an event",
        1e6 * measures.worker_cpu / max(1, rate * measures.seconds),
        "µs",
    )
    yield Figure("calls/s that are written where nobody listens", measures.quiet_rate)
    yield Figure(
        "calls/s that are written with an event each", measures.listened_rate, goal=at_least(2 * rate)
    )
    yield Figure(
        "written with an event each ÷ where nobody listens", measures.listened_rate / measures.quiet_rate
    )


if __name__ == "__main__":
    sys.exit(run(command))

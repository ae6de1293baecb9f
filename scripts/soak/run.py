"""One soak from beginning to end."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from scripts import demo
from scripts.bench.figures import percentile
from scripts.index_keeping import rebuild
from scripts.soak import edits, invariants
from scripts.soak.answers import APOLOGY, REFERRED, REJECTED, Answer
from scripts.soak.carrier import Carrier
from scripts.soak.edits import TURNS, Editor
from scripts.soak.faults import UNHURRIED, Faults, Kind, Pace, kinds
from scripts.soak.invariants import Violation
from scripts.soak.ledger import Ledger
from scripts.soak.memory import Memory, Process
from scripts.soak.premises import Premises
from scripts.soak.served import Served, served_by_fault
from scripts.soak.settling import settle
from scripts.soak.traffic import Traffic
from scripts.soak.truth import Store, Truth
from scripts.stores import CALL_TIMEOUT, open_redis

UNKNOWN = "+15005559999"
_PATIENCE = 60.0
_POLL = 0.1
_SECOND_SEED = 1
_THIRD_SEED = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how many calls a second, which chance; without `wanted` every fault there is."""

    seconds: float
    rate: float
    seed: int
    pace: Pace = UNHURRIED
    wanted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a soak saw; `violations` is empty where all is well."""

    seed: int
    seconds: float
    faults: dict[str, Served]
    """How callers were served in each kind of fault, and in the calm."""
    calls: int
    answers: int
    reports: int
    edits: int
    apologies: int
    fallbacks: int
    retries: int
    sources: dict[str, int]
    """Calls in the log by where their facts were read."""
    slowest: float
    p99: float
    slowest_report: float
    memory: list[Process]
    violations: list[Violation]


def answers_of_the_demo() -> dict[str, Answer]:
    """What each number of the demo gets, as its data say; live ones with their destination."""
    right = {f"+150055501{last_two:02d}": REJECTED for last_two in (7, 8, 9, 10, 11, 12, 13)}
    right |= {f"+150055501{last_two:02d}": REFERRED for last_two in (3, 4, 5, 6)}
    live = {0: 90, 1: 93, 2: 91}
    return right | {f"+150055501{of:02d}": Answer("connect", f"+141555501{to}") for of, to in live.items()}


def soak(premises: Premises, plan: Plan, say: Callable[[str], None] = lambda _: None) -> Result:
    """Run the plan on premises that are not open yet. Raises click's error where they cannot be opened."""
    truth = Truth(answers_of_the_demo())
    demo.load(premises.database, datetime.now(UTC))
    edits.furnish(premises.database, truth)
    rebuild(premises.database, premises.redis, premises.layout)
    premises.open()
    _wait_for_copy(premises)
    memory = Memory()
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
    faults = Faults(premises, chance, _wanted(premises, plan), plan.pace, lambda: _tend(premises, memory))
    with ExitStack() as stack:
        editor = _editor(stack, premises, truth, random.Random(plan.seed + _SECOND_SEED))  # noqa: S311
        traffic = _traffic(premises, truth, plan)
        traffic.start()
        stack.callback(traffic.stop)
        editor.start()
        stack.callback(editor.stop)
        say(f"{plan.rate:g} calls/s for {plan.seconds:g} s, seed {plan.seed}")
        faults.run(plan.seconds)
    ledger = traffic.ledger
    truth.troubles += faults.troubles
    say("waiting for the workers, then checking the books")
    violations = [*settle(premises)]
    processes = memory.judged()
    violations += invariants.of_answers(ledger, truth)
    violations += invariants.of_log(ledger, truth, premises.database)
    violations += invariants.of_memory(processes)
    return _result(
        plan,
        premises=premises,
        truth=truth,
        edited=editor.edits,
        ledger=ledger,
        processes=processes,
        violations=violations,
    )


def _result(
    plan: Plan,
    *,
    premises: Premises,
    truth: Truth,
    edited: int,
    ledger: Ledger,
    processes: list[Process],
    violations: list[Violation],
) -> Result:
    seconds = invariants.voice_seconds(ledger) or [0.0]
    heard = [heard for _, heard in ledger.heard()]
    return Result(
        seed=plan.seed,
        seconds=plan.seconds,
        faults=served_by_fault(ledger, truth.troubles),
        calls=len(ledger.calls),
        answers=len(heard),
        reports=len(ledger.report_seconds),
        edits=edited,
        apologies=sum(one.answer == APOLOGY for one in heard),
        fallbacks=sum(one.fell_back for one in heard),
        retries=sum(one.attempts > 1 for one in heard),
        sources=invariants.sources(premises.database),
        slowest=max(seconds),
        p99=percentile(seconds, 0.99),
        slowest_report=max(ledger.report_seconds, default=0.0),
        memory=processes,
        violations=violations,
    )


def counted(violations: Sequence[Violation]) -> dict[str, int]:
    return dict(Counter(str(violation.breach) for violation in violations))


def _wanted(premises: Premises, plan: Plan) -> list[Kind]:
    there = kinds(premises.freezable)
    if unknown := set(plan.wanted) - {kind.name for kind in there}:
        known = ", ".join(kind.name for kind in there)
        raise click.UsageError(f"there is no fault {', '.join(sorted(unknown))}; there are: {known}")
    return [kind for kind in there if not plan.wanted or kind.name in plan.wanted]


def _editor(stack: ExitStack, premises: Premises, truth: Truth, chance: random.Random) -> Editor:
    line = premises.lines[Store.REDIS]
    client = open_redis(f"redis://127.0.0.1:{line.port}/0", CALL_TIMEOUT)
    stack.callback(client.close)
    return Editor(premises.database, client, premises.layout, truth, chance)


def _traffic(premises: Premises, truth: Truth, plan: Plan) -> Traffic:
    carrier = Carrier(premises.port, premises.settings.twilio, premises.settings.public_base_url)
    # Edited numbers several times, so that each edit meets calls.
    numbers = [*truth.fixed, *[edits.number_of(position) for position in range(len(TURNS))] * 3, UNKNOWN]
    chance = random.Random(plan.seed + _THIRD_SEED)  # noqa: S311 - repeatable, not secret
    return Traffic(carrier, premises.settings, numbers, plan.rate, chance)


def _tend(premises: Premises, memory: Memory) -> None:
    premises.workers.tend()
    premises.web.check()
    memory.look(lambda: {"web": premises.web.pids, "worker": premises.workers.pids})


def _wait_for_copy(premises: Premises) -> None:
    """A host without a last-known copy is not ready for the loss of both stores."""
    deadline = time.monotonic() + _PATIENCE
    while not premises.settings.snapshot.exists():
        premises.workers.tend()
        if time.monotonic() > deadline:
            raise TimeoutError("the workers wrote no last-known copy")
        time.sleep(_POLL)

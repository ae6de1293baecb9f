"""The soak's checks find what is planted: one that cannot fail would be worth nothing."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from models import call_log
from models.database import Database
from routing.arrival import Arrival, Source
from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind
from scripts.soak.answers import APOLOGY, REFERRED, REJECTED, Answer, answer_in
from scripts.soak.invariants import Breach, of_answers, of_log, of_memory
from scripts.soak.ledger import Call, Heard, Ledger
from scripts.soak.memory import Memory
from scripts.soak.settling import own_errors
from scripts.soak.truth import Edit, Store, Trouble, Truth
from tests.builders import BUSINESS, NOW, TRACKING, an_inbound_call, route

LIVE = TRACKING.e164
PAUSED = "+15005550101"
EDITED = "+15005550102"
UNKNOWN = "+15005550999"
CONNECTED = Answer("connect", BUSINESS.e164)
OTHER = Answer("connect", "+14155550199")
SIDS = ("CA1", "CA2", "CA3")
TALKED = 42


def heard(answer: Answer | None = CONNECTED, sent: float = 100.0, took: float = 0.01) -> Heard:
    return Heard(sent, sent + took, answer)


def a_truth() -> Truth:
    return Truth({LIVE: CONNECTED, PAUSED: REJECTED})


def a_ledger(*calls: Call) -> Ledger:
    return Ledger({call.sid: call for call in calls})


def breaches(ledger: Ledger, truth: Truth | None = None) -> list[Breach]:
    return [violation.breach for violation in of_answers(ledger, truth or a_truth())]


@pytest.mark.parametrize(
    ("number", "one", "found"),
    [
        (LIVE, heard(), []),
        (PAUSED, heard(REJECTED), []),
        (LIVE, heard(REJECTED), [Breach.LIVE_REJECTED]),
        (LIVE, heard(OTHER), [Breach.WRONG]),
        (LIVE, heard(REFERRED), [Breach.WRONG]),
        (LIVE, heard(APOLOGY), [Breach.APOLOGY]),
        (LIVE, heard(None), [Breach.UNANSWERED]),
        (PAUSED, heard(CONNECTED), [Breach.INACTIVE_DIALLED]),
        (UNKNOWN, heard(REJECTED), []),
        (UNKNOWN, heard(CONNECTED), [Breach.INACTIVE_DIALLED]),
        (LIVE, heard(took=1.99), []),
        (LIVE, heard(took=3.99), [Breach.TOO_LATE]),
        (LIVE, heard(took=4.0), [Breach.TOO_LATE, Breach.TOO_LATE]),
    ],
)
def test_a_wrong_or_late_answer_is_found(number: str, one: Heard, found: list[Breach]) -> None:
    assert breaches(a_ledger(Call("CA1", number, [one]))) == found


def test_a_wrong_answer_is_told_with_the_faults_near_it() -> None:
    truth = a_truth()
    truth.troubles = [
        Trouble("kill Redis", frozenset({Store.REDIS}), 97.0, 99.5),
        Trouble("cut on SQL", frozenset({Store.SQL}), 60.0, 80.0),
    ]
    (violation,) = of_answers(a_ledger(Call("CA1", LIVE, [heard(REJECTED)])), truth)
    assert violation.detail.endswith("near it: kill Redis from -3.0 s to -0.5 s")


def test_a_report_that_was_not_taken_is_found() -> None:
    assert breaches(Ledger(unheard=["dial of CA1"])) == [Breach.UNHEARD_REPORT]


@pytest.fixture
def logged(postgres_database: Database) -> tuple[Ledger, Database]:
    """Three calls that were answered, ended and logged as they should be."""
    update = CallUpdate(
        disposition=Disposition.COMPLETED,
        disposition_rank=rank(Witness.DIAL, Disposition.COMPLETED),
        talk_seconds=TALKED,
    )
    happenings: list[Arrival | CallEvent] = []
    for sid in SIDS:
        happenings += [
            Arrival(an_inbound_call(call_sid=sid), route(), Source.INDEX),
            CallEvent("twilio", sid, EventKind.DIAL, "dial", None, NOW, update),
        ]
    call_log.record(postgres_database, happenings, NOW, "1")
    calls = [Call(sid, LIVE, [heard()], 1, "completed", TALKED) for sid in SIDS]
    return a_ledger(*calls), postgres_database


def test_a_log_as_it_should_be_is_no_violation(logged: tuple[Ledger, Database]) -> None:
    assert [*of_log(logged[0], a_truth(), logged[1])] == []


_DOUBLE = """
ALTER TABLE calls DROP CONSTRAINT uq_calls_carrier_call_sid;
INSERT INTO calls (carrier, call_sid, decision, reason, source, destination, disposition, talk_seconds,
  started_at, created_at)
SELECT carrier, call_sid, decision, reason, source, destination, disposition, talk_seconds, started_at,
  created_at FROM calls WHERE call_sid = 'CA2'
"""


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("DELETE FROM calls WHERE call_sid = 'CA2'", Breach.LOST_ROW),
        (_DOUBLE, Breach.DOUBLE_ROW),
        ("UPDATE calls SET call_sid = 'CA9' WHERE call_sid = 'CA2'", Breach.STRANGE_ROW),
        ("UPDATE calls SET decision = 'reject', destination = NULL WHERE call_sid = 'CA2'", Breach.WRONG_ROW),
        ("UPDATE calls SET destination = '+14155550199' WHERE call_sid = 'CA2'", Breach.WRONG_ROW),
        ("UPDATE calls SET decision = NULL, reason = NULL, source = NULL", Breach.WRONG_ROW),
        ("UPDATE calls SET disposition = 'busy' WHERE call_sid = 'CA2'", Breach.WRONG_ROW),
        ("UPDATE calls SET talk_seconds = 41 WHERE call_sid = 'CA2'", Breach.WRONG_ROW),
        ("DELETE FROM call_events WHERE call_sid = 'CA2'", Breach.EVENTS),
    ],
)
def test_a_planted_fault_of_the_log_is_found(
    logged: tuple[Ledger, Database], planted: str, found: Breach
) -> None:
    ledger, database = logged
    with database.session() as session:
        for statement in planted.split(";"):
            session.execute(text(statement))
    assert found in {violation.breach for violation in of_log(ledger, a_truth(), database)}


def an_edited_truth(*troubles: Trouble) -> Truth:
    """A number that is connected until an edit, from 100.0 to 100.2, pauses its campaign."""
    truth = a_truth()
    truth.edits[EDITED] = [Edit(CONNECTED, 0, 0), Edit(REJECTED, 100.0, 100.2)]
    truth.troubles += troubles
    return truth


@pytest.mark.parametrize(
    ("sent", "right"),
    [
        (99.98, {CONNECTED}),
        (99.99, {CONNECTED, REJECTED}),  # answered at 100.0
        (101.2, {CONNECTED, REJECTED}),
        (101.21, {REJECTED}),
    ],
)
def test_the_answer_before_an_edit_is_right_until_the_promised_second_is_over(
    sent: float, right: set[Answer]
) -> None:
    assert an_edited_truth().right(EDITED, sent, sent + 0.01) == right


@pytest.mark.parametrize(("stores", "right"), [({Store.REDIS}, {CONNECTED, REJECTED}), (set(), {REJECTED})])
def test_a_store_in_trouble_puts_it_off_a_program_in_trouble_does_not(
    stores: set[Store], right: set[Answer]
) -> None:
    trouble = Trouble("some", frozenset(stores), 100.5, 110.0)
    assert an_edited_truth(trouble).right(EDITED, 112.0, 112.1) == right
    assert an_edited_truth(trouble).right(EDITED, 115.1, 115.2) == {REJECTED}


def test_an_apology_is_right_only_for_a_number_that_nobody_knows_while_neither_store_answers() -> None:
    truth = a_truth()
    truth.troubles.append(Trouble("both", frozenset(Store), 100.0, 105.0))
    assert truth.right(UNKNOWN, 101.0, 101.5) == {REJECTED, APOLOGY}
    assert truth.right(UNKNOWN, 99.0, 99.5) == {REJECTED}
    assert truth.right(UNKNOWN, 108.1, 108.2) == {REJECTED}
    assert truth.right(LIVE, 101.0, 101.5) == {CONNECTED}


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (b"<Response><Dial><Number>+14155550123</Number></Dial></Response>", CONNECTED),
        (b"<Response><Reject/></Response>", REJECTED),
        (b"<Response><Say>Bay Bakery</Say><Pause/><Say>again</Say><Hangup/></Response>", REFERRED),
        (b"<Response><Say>Sorry</Say><Hangup/></Response>", APOLOGY),
        (b"<Response><Say>Sorry</Say><Pause/><Say>again</Say><Hangup/></Response>", None),
        (b"<Response><Reject/>", None),
        (b"<html></html>", None),
        (b"", None),
    ],
)
def test_twiml_is_read_and_nothing_else(document: bytes, answer: Answer | None) -> None:
    assert answer_in(document) == answer


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"level": "critical", "event": "call.failed"}, 1),
        ({"level": "error", "event": "worker.round_failed", "exception": "Traceback …"}, 1),
        ({"level": "error", "event": "journal.refused_entry"}, 1),
        ({"level": "warning", "event": "worker.store_unreachable"}, 0),
        ({"level": "error", "event": "call.not_connectable"}, 0),
    ],
)
def test_defects_that_a_program_logged_are_found(tmp_path: Path, line: dict[str, str], found: int) -> None:
    (tmp_path / "web-1.log").write_text("[ERROR] Worker was sent SIGKILL!\n" + json.dumps(line) + "\n")
    assert [violation.breach for violation in own_errors(tmp_path)] == [Breach.OWN_ERROR] * found


MEGA = 1_000_000


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ({60: 80 * MEGA, 120: 89 * MEGA}, []),
        ({60: 80 * MEGA, 120: 90 * MEGA}, [Breach.MEMORY]),
        ({60: 40 * MEGA, 120: 46 * MEGA}, [Breach.MEMORY]),
        ({0: 20 * MEGA, 60: 80 * MEGA, 120: 80 * MEGA}, []),
        ({60: 80 * MEGA, 119: 99 * MEGA}, []),  # too short a life to judge
    ],
)
def test_memory_that_grows_is_found(sizes: dict[int, int], found: list[Breach]) -> None:
    now = [0.0]
    memory = Memory(clock=lambda: now[0])
    for second in sorted({0, *sizes}):
        now[0] = float(second)
        memory.look(lambda: {"web": [1]}, lambda _pid: sizes.get(int(now[0]), MEGA))
    assert [violation.breach for violation in of_memory(memory.judged())] == found

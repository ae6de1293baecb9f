"""What carriers report ends in the same log, whatever the order, the batches and the repetitions."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import reduce
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace
from sqlalchemy import select

from models import migrate
from models.base import Row
from models.call import ArrivalRow, Call, call_by_sid, record_arrivals
from models.call_event import events_of, record_events
from models.database import Database
from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind, merge
from tests.builders import CALLER, NOW, TRACKING
from tests.routing.event_strategies import instants, raw_texts, updates

LATER = NOW + timedelta(hours=1)
COMPLETED = CallUpdate(
    disposition=Disposition.COMPLETED,
    disposition_rank=rank(Witness.DIAL, Disposition.COMPLETED),
    started_at=NOW + timedelta(seconds=1),
    talk_seconds=30,
)
OF_THE_UPDATE = ("ring_seconds", *(member.name for member in fields(CallUpdate)))


def an_event(
    call_sid: str = "CA1", key: str = "dial", update: CallUpdate = COMPLETED, **said: object
) -> CallEvent:
    plain = CallEvent("twilio", call_sid, EventKind.DIAL, key, None, LATER, update, {"DialCallStatus": "x"})
    return replace(plain, **said)


def an_arrival(call_sid: str = "CA1", **said: object) -> ArrivalRow:
    row: ArrivalRow = {
        "carrier": "twilio",
        "call_sid": call_sid,
        "decision": "connect",
        "reason": "live",
        "source": "index",
        "started_at": NOW,
        "created_at": NOW,
        "caller": CALLER,
        "tracking_number": TRACKING,
        "facts": {"number": "1 7 11"},
    }
    row.update(said)  # type: ignore[typeddict-item]
    return row


def record(database: Database, events: Sequence[CallEvent]) -> int:
    with database.session() as session:
        return record_events(session, events)


def arrive(database: Database, *rows: ArrivalRow) -> int:
    with database.session() as session:
        return record_arrivals(session, rows)


def row_of(database: Database, call_sid: str = "CA1") -> Row:
    """The call's row, without what tells how it came to be written."""
    with database.reading() as session:
        wanted = select(Call.__table__).where(Call.call_sid == call_sid)
        row = session.execute(wanted).mappings().one()
    return {name: value for name, value in row.items() if name not in {"id", "created_at"}}


def known_of(database: Database, call_sid: str) -> dict[str, object]:
    return {name: value for name, value in row_of(database, call_sid).items() if name in OF_THE_UPDATE}


def in_python(known: Sequence[CallUpdate]) -> dict[str, object]:
    """What a row holds of these updates, had nobody but `merge` put them together."""
    # An event that knows of no instant speaks of the one at which it came.
    whole = reduce(merge, [replace(update, started_at=update.started_at or LATER) for update in known])
    return {name: getattr(whole, name) for name in OF_THE_UPDATE}


def test_an_event_before_its_call_makes_a_row_without_a_decision(database: Database) -> None:
    assert record(database, [an_event()]) == 1
    row = row_of(database)
    assert (row["decision"], row["reason"], row["source"], row["facts"]) == (None, None, None, None)
    assert (row["disposition"], row["talk_seconds"]) == ("completed", 30)
    assert row["started_at"] == NOW + timedelta(seconds=1)


def test_an_event_that_knows_no_instant_began_when_it_came(database: Database) -> None:
    record(database, [an_event(update=CallUpdate(talk_seconds=1))])
    assert row_of(database)["started_at"] == LATER


def test_the_arrival_fills_in_what_is_missing(database: Database) -> None:
    record(database, [an_event()])
    assert arrive(database, an_arrival()) == 1
    row = row_of(database)
    assert (row["decision"], row["reason"], row["source"]) == ("connect", "live", "index")
    assert (row["started_at"], row["caller"], row["facts"]) == (NOW, CALLER, {"number": "1 7 11"})
    assert (row["disposition"], row["talk_seconds"]) == ("completed", 30)


def test_the_order_of_arrival_and_events_leaves_no_trace(database: Database) -> None:
    events = [an_event("CA1"), an_event("CA1", "k2", CallUpdate(started_at=NOW - timedelta(days=1)))]
    record(database, events)
    arrive(database, an_arrival("CA1"))
    arrive(database, an_arrival("CA2"))
    record(database, [replace(event, call_sid="CA2") for event in events])
    assert row_of(database, "CA1") | {"call_sid": "CA2"} == row_of(database, "CA2")


def test_the_first_decision_stays_whatever_was_reported(database: Database) -> None:
    record(database, [an_event()])
    assert arrive(database, an_arrival(), an_arrival(decision="reject")) == 1
    assert arrive(database, an_arrival(decision="reject", caller=None)) == 0
    assert record(database, [an_event()]) == 0
    assert (row_of(database)["decision"], row_of(database)["caller"]) == ("connect", CALLER)


def test_the_text_of_the_consent_comes_with_the_call_or_after_it(database: Database) -> None:
    arrive(database, an_arrival("CA1", consent_version="en-1"))
    record(database, [an_event("CA1"), an_event("CA2", update=CallUpdate(consent_version="en-1"))])
    arrive(database, an_arrival("CA2"))
    assert row_of(database, "CA1")["consent_version"] == row_of(database, "CA2")["consent_version"] == "en-1"


def test_no_events_are_no_work(database: Database) -> None:
    assert record(database, []) == 0


def test_a_report_that_comes_ten_times_at_once_counts_once(database: Database) -> None:
    with ThreadPoolExecutor(5) as pool:
        new = list(pool.map(lambda _n: record(database, [an_event()] * 3), range(10)))
    assert sum(new) == 1
    assert row_of(database)["talk_seconds"] == 30


def test_the_same_key_of_another_call_or_carrier_is_another_event(database: Database) -> None:
    assert record(database, [an_event("CA1"), an_event("CA2"), an_event("CA1", carrier="telnyx")]) == 3


def test_a_terminal_disposition_never_regresses(database: Database) -> None:
    for word in (Disposition.BUSY, Disposition.CANCELED, Disposition.FAILED):
        for witness in (Witness.DIAL, Witness.LEG, Witness.CALL):
            said = CallUpdate(disposition=word, disposition_rank=rank(witness, word))
            record(database, [an_event(key=f"{witness}:{word}", update=said)])
            assert row_of(database)["disposition"] == "busy"


def test_what_was_reported_is_listed_as_it_happened(database: Database) -> None:
    def reported(key: str, occurred: int | None, received: int) -> CallEvent:
        occurred_at = None if occurred is None else NOW + timedelta(seconds=occurred)
        return an_event(key=key, occurred_at=occurred_at, received_at=NOW + timedelta(seconds=received))

    record(database, [reported("completed", 9, 10), reported("dial", None, 8)])
    record(database, [reported("answered", 3, 12), reported("initiated", 1, 2), reported("ringing", 1, 3)])
    record(database, [an_event("CA2")])
    with database.reading() as session:
        call = call_by_sid(session, "twilio", "CA1")
        assert call is not None
        events = events_of(session, call)
    assert [event.key for event in events] == ["initiated", "ringing", "answered", "dial", "completed"]
    assert (events[0].kind, events[0].raw) == (EventKind.DIAL, {"DialCallStatus": "x"})


serials = count()


def test_whatever_a_carrier_sends_is_kept(database: Database) -> None:
    @settings(max_examples=50)
    @given(raw_texts, st.dictionaries(raw_texts, raw_texts, max_size=3), instants)
    def holds(key: str, raw: dict[str, str], moment: object) -> None:
        sid = f"CA{next(serials)}"
        event = an_event(sid, f"call:{key}", CallUpdate(recording_url=f"x{key}"), raw=raw, occurred_at=moment)
        assert record(database, [event]) == 1
        with database.reading() as session:
            call = call_by_sid(session, "twilio", sid)
            assert call is not None
            (kept,) = events_of(session, call)
        assert kept.key == f"call:{key}".replace("\0", "")
        assert (kept.raw, kept.occurred_at) == (raw, moment)

    holds()


def test_the_database_adds_up_as_python_does(database: Database) -> None:
    @settings(max_examples=100)
    @given(st.lists(updates(), min_size=1, max_size=5), st.data())
    def holds(known: list[CallUpdate], data: st.DataObject) -> None:
        sid = f"CA{next(serials)}"
        events = [an_event(sid, f"event {n}", update) for n, update in enumerate(known)]
        sent = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
        cuts = sorted(data.draw(st.sets(st.integers(1, len(sent)), max_size=4)))
        new = sum(
            record(database, sent[start:end])
            for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)
        )
        assert new == len(events)
        assert known_of(database, sid) == in_python(known)

    holds()


@pytest.fixture
def patient(database: Database) -> Iterator[Database]:
    """The same database as a worker opens it: it waits for a lock as long as it takes."""
    patient = Database(database.engine.url.render_as_string(hide_password=False), patient=True)
    yield patient
    patient.dispose()


def test_two_workers_that_meet_in_the_same_calls_end_in_the_same_log(
    database: Database, patient: Database
) -> None:
    @settings(max_examples=10)
    @given(st.lists(st.tuples(st.integers(0, 9), updates()), min_size=20, max_size=40), st.randoms())
    def holds(known: list[tuple[int, CallUpdate]], chance: random.Random) -> None:
        run = next(serials)
        events = [an_event(f"CA{run}-{call}", f"event {n}", update) for n, (call, update) in enumerate(known)]
        shares = [chance.sample(events, len(events)) for _ in range(2)]

        def work(share: list[CallEvent]) -> int:
            return sum(record(patient, share[start : start + 7]) for start in range(0, len(share), 7))

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(work, shares)) == len(events)
        for call in {call for call, _ in known}:
            mine = [update for owner, update in known if owner == call]
            assert known_of(database, f"CA{run}-{call}") == in_python(mine)

    holds()


def test_a_call_that_was_only_reported_survives_going_back_a_version(
    sqlite_url: str, postgres_url: str
) -> None:
    for url in (sqlite_url, postgres_url):
        database = Database(url)
        arrive(database, an_arrival("CA1"))
        record(database, [an_event("CA1"), an_event("CA2")])
        before = [row_of(database, sid) for sid in ("CA1", "CA2")]
        migrate.downgrade(url, "0001")
        migrate.upgrade(url)
        after = [row_of(database, sid) for sid in ("CA1", "CA2")]
        database.dispose()
        assert [row["disposition"] for row in after] == ["completed", "completed"]
        assert [row["decision"] for row in after] == ["connect", "unknown"]
        assert [row["started_at"] for row in after] == [row["started_at"] for row in before]

"""The log has each call once, as it was decided first, whatever comes in and in whatever order."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.call import ArrivalRow, Call, call_by_sid, recent, record_arrivals
from models.database import Database
from tests.builders import CALLER, NOW, TRACKING
from tests.log_rows import log_rows


def an_arrival(serial: int, **said: Any) -> ArrivalRow:
    row: ArrivalRow = {
        "carrier": "twilio",
        "call_sid": f"CA{serial}",
        "decision": "connect",
        "reason": "live",
        "source": "index",
        "started_at": NOW + timedelta(seconds=serial),
        "created_at": NOW,
    }
    row.update(said)  # type: ignore[typeddict-item]
    return row


def record(database: Database, rows: Sequence[ArrivalRow]) -> int:
    with database.session() as session:
        return record_arrivals(session, rows)


def logged(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {row["call_sid"]: row["decision"] for row in log_rows(session)}


def test_a_call_is_logged_with_all_that_is_known(database: Database) -> None:
    facts = {"number": '1 7 11 {"whisper":"\u00e4"}', "campaign": None}
    arrival = an_arrival(
        1,
        tracking_number=TRACKING,
        campaign_id=7,
        campaign_external_id="X-1",
        group_id=3,
        caller=CALLER,
        caller_city="SAN JOSÉ",
        destination=TRACKING,
        facts=facts,
    )
    assert record(database, [arrival]) == 1
    with database.reading() as session:
        call = call_by_sid(session, "twilio", "CA1")
        assert isinstance(call, Call)
        assert (call.tracking_number, call.caller, call.caller_city) == (TRACKING, CALLER, "SAN JOSÉ")
        assert (call.campaign_id, call.started_at, call.created_at) == (7, NOW + timedelta(seconds=1), NOW)
        assert call.facts == facts
        assert (call.disposition, call.ended_at, call.dialled_text) == (None, None, None)
        assert call_by_sid(session, "telnyx", "CA1") is None


def test_the_first_decision_stays(database: Database) -> None:
    assert record(database, [an_arrival(1, decision="connect")]) == 1
    assert record(database, [an_arrival(1, decision="reject"), an_arrival(2)]) == 1
    assert logged(database) == {"CA1": "connect", "CA2": "connect"}


def test_a_call_that_comes_twice_in_one_batch_is_logged_once(database: Database) -> None:
    batch = [an_arrival(1, decision="connect"), an_arrival(2), an_arrival(1, decision="reject")]
    assert record(database, batch) == 2
    assert logged(database)["CA1"] == "connect"


def test_the_same_sid_of_another_carrier_is_another_call(database: Database) -> None:
    assert record(database, [an_arrival(1), an_arrival(1, carrier="telnyx")]) == 2


def test_no_arrivals_are_no_work(database: Database) -> None:
    assert record(database, []) == 0


def test_replays_and_shuffles_leave_the_same_log(database: Database) -> None:
    chance = random.Random(7)  # noqa: S311
    calls = [an_arrival(serial) for serial in range(200)]
    replayed = calls + chance.choices(calls, k=300)
    chance.shuffle(replayed)
    new = sum(record(database, replayed[start : start + 50]) for start in range(0, len(replayed), 50))
    assert new == len(calls)
    assert sorted(logged(database)) == sorted(call["call_sid"] for call in calls)


def test_workers_that_log_the_same_calls_do_not_lock_each_other_out(database: Database) -> None:
    calls = [an_arrival(serial) for serial in range(300)]
    with ThreadPoolExecutor(3) as pool:
        batches = [calls, calls[::-1], random.Random(1).sample(calls, len(calls))]  # noqa: S311
        assert sum(pool.map(lambda batch: record(database, batch), batches)) == len(calls)


def test_the_latest_calls_come_first(database: Database) -> None:
    record(database, [an_arrival(1)])
    record(database, [an_arrival(2)])
    record(database, [an_arrival(3)])
    with database.reading() as session:
        assert [call.call_sid for call in recent(session, 2)] == ["CA3", "CA2"]


def test_rows_may_know_more_or_less_than_each_other(database: Database) -> None:
    record(database, [an_arrival(1), an_arrival(2, caller_city="Reno"), an_arrival(3, facts={"a": 1})])
    with database.reading() as session:
        rows = log_rows(session)
    assert [row["caller_city"] for row in rows] == [None, "Reno", None]
    assert [row["facts"] for row in rows] == [None, None, {"a": 1}]


@pytest.fixture(scope="module")
def shared_log(request: pytest.FixtureRequest) -> Any:
    return {"serial": 0}


def test_whatever_a_carrier_writes_is_stored(database: Database, shared_log: dict[str, int]) -> None:
    @given(st.text(), st.text())
    def holds(city: str, dialled: str) -> None:
        shared_log["serial"] += 1
        sid = f"CA{shared_log['serial']}"
        arrival = an_arrival(0, call_sid=sid, caller_city=city, dialled_text=dialled, facts={"city": city})
        assert record(database, [arrival]) == 1
        with database.reading() as session:
            call = call_by_sid(session, "twilio", sid)
            assert call is not None
            storable = city.replace("\0", "").encode("utf-8", "replace").decode()
            assert call.caller_city == storable

    holds()

"""What the call log adds up to, on both kinds of database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from models.call import Call
from models.database import Database
from models.in_vain import numbers_in_vain
from models.tally import Span, Tally, by_step, totals
from routing.disposition import Witness
from tests.builders import NOW, a_group, a_phone

_DAY = Span(datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))
_TICK = timedelta(microseconds=1)
_OWN_LEG, _ITS_LEG = Witness.CALL * 10 + 9, Witness.CALL * 10 + 10
"""The best that the caller's own leg tells, and more than it can."""


def logged(session: Session, decision: str = "connect", **said: object) -> None:
    plain: dict[str, object] = {
        "carrier": "twilio",
        "call_sid": f"CA{a_phone().e164[1:]:0>32}",
        "decision": decision,
        "started_at": NOW,
        "created_at": NOW,
    }
    if "group_id" not in said:
        plain["group_id"] = a_group(session).id
    session.add(Call(**(plain | said)))
    session.flush()


@pytest.mark.parametrize(
    ("said", "tally"),
    [
        ({}, Tally(calls=1, open=1)),
        ({"answered_at": NOW}, Tally(calls=1, answered=1)),
        ({"talk_seconds": 1}, Tally(calls=1, answered=1)),
        ({"talk_seconds": 0, "ended_at": NOW}, Tally(calls=1, missed=1)),
        ({"disposition": "no-answer"}, Tally(calls=1, missed=1)),
        ({"disposition": "completed", "disposition_rank": _OWN_LEG}, Tally(calls=1, missed=1)),
        ({"disposition": "completed", "disposition_rank": _ITS_LEG}, Tally(calls=1, answered=1)),
        ({"decision": "referral"}, Tally(calls=1, referral=1)),
        ({"decision": "reject"}, Tally(calls=1, rejected=1)),
        ({"decision": "apology"}, Tally(calls=1, apology=1)),
    ],
)
def test_a_call_counts_as_what_became_of_it(
    database: Database, said: dict[str, object], tally: Tally
) -> None:
    with database.session() as session:
        logged(session, **({"decision": "connect"} | said))  # type: ignore[arg-type]  # of a parameter
        assert totals(session, _DAY, ()) == tally


@pytest.mark.parametrize(
    ("at", "calls"),
    [(_DAY.begin - _TICK, 0), (_DAY.begin, 1), (_DAY.end - _TICK, 1), (_DAY.end, 0)],
)
def test_a_span_has_its_beginning_and_not_its_end(database: Database, at: datetime, calls: int) -> None:
    with database.session() as session:
        logged(session, started_at=at)
        assert totals(session, _DAY, ()).calls == calls
        assert sum(tally.calls for tally in by_step(session, _DAY, (), 3600).values()) == calls


def test_steps_are_named_by_their_beginnings(database: Database) -> None:
    with database.session() as session:
        for minute in (0, 14, 15, 59):
            logged(session, started_at=NOW.replace(minute=minute))
        assert by_step(session, _DAY, (), 900) == {
            NOW: Tally(calls=2, open=2),
            NOW.replace(minute=15): Tally(calls=1, open=1),
            NOW.replace(minute=45): Tally(calls=1, open=1),
        }


def test_conditions_stand_in_every_query(database: Database) -> None:
    with database.session() as session:
        mine, theirs = a_group(session).id, a_group(session).id
        for group_id in (mine, theirs, theirs):
            logged(session, "reject", group_id=group_id, reason="ended", tracking_number=a_phone())
        seen = [Call.group_id == mine]
        assert totals(session, _DAY, seen).calls == 1
        assert [tally.calls for tally in by_step(session, _DAY, seen, 3600).values()] == [1]
        assert [vain.calls for vain in numbers_in_vain(session, _DAY, seen, 10)] == [1]


def test_numbers_dialled_in_vain_come_most_dialled_first(database: Database) -> None:
    seldom, often, caller = a_phone(), a_phone(), a_phone()
    with database.session() as session:
        logged(session, "reject", reason="released", tracking_number=seldom, caller=caller)
        for at, who in ((NOW, caller), (NOW + timedelta(hours=1), caller), (NOW, None)):
            logged(session, "reject", reason="ended", tracking_number=often, caller=who, started_at=at)
        logged(session, "reject", reason="paused", tracking_number=a_phone())
        logged(session, "referral", reason="referral", tracking_number=a_phone())
        found = numbers_in_vain(session, _DAY, (), 10)
        assert [(vain.number, vain.reason, vain.calls, vain.callers) for vain in found] == [
            (often, "ended", 3, 1),
            (seldom, "released", 1, 1),
        ]
        assert found[0].last_at == NOW + timedelta(hours=1)
        assert numbers_in_vain(session, _DAY, (), 1) == found[:1]

"""The demo's past calls: of many days, of every kind, over, and nobody's."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from models.call import Call
from models.database import Database
from scripts import demo, demo_calls

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_they_are_of_every_kind_over_many_days_and_all_of_them_over(database: Database) -> None:
    demo.load(database, NOW)
    count = demo_calls.load(database, NOW)
    with database.reading() as session:
        calls = session.scalars(select(Call)).all()
        assert len(calls) == count > 500
        assert {call.decision for call in calls} == {"connect", "referral", "reject"}
        assert {"live", "referral", "ended", "released", "blocked_caller"} <= {call.reason for call in calls}
        connected = [call for call in calls if call.decision == "connect"]
        assert {call.disposition for call in connected} == {
            "completed",
            "no-answer",
            "busy",
            "canceled",
            "failed",
        }
        assert all(call.ended_at is not None and call.ended_at <= NOW for call in connected)
        first, last = session.execute(select(func.min(Call.started_at), func.max(Call.started_at))).one()
    assert last - first > timedelta(days=demo_calls.DAYS - 3)
    assert all(
        re.fullmatch(r"\+1\d{3}55501\d\d", call.caller.e164) for call in calls if call.caller is not None
    )

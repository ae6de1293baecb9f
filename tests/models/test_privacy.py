"""Callers are forgotten after a while, and shown or erased when they ask for it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from models.call import Call
from models.call_event import LoggedEvent
from models.database import Database
from models.group import Group
from models.privacy import erase, hash_of, story_of, traces
from models.reporting import reports
from models.reporting.changes import changed_days
from models.reporting.period import Period
from models.reporting.roller import bring_up_to_date, differences
from models.reporting.scope import Scope
from models.reporting.tally import Callers
from models.webhook_delivery import WebhookDelivery, subject_of
from routing.events import EventKind
from scripts.forgetting import Forgetter
from scripts.settings import Secret
from tests.builders import CALLER, NOW, a_group, a_phone, an_endpoint
from tests.models.reporting.log import logged

_KEY = b"a key of thirty-two characters.."
_DAY = timedelta(days=1)


def reported(database: Database, call: Call) -> None:
    with database.session() as session:
        session.add(
            LoggedEvent(
                carrier=call.carrier,
                call_sid=call.call_sid,
                kind=EventKind.CALL,
                key="completed",
                received_at=NOW,
                raw={"From": CALLER.e164, "To": "+15005550100", "Uri": f"x?from={CALLER.digits}"},
            )
        )


def forgetful(database: Database) -> Forgetter:
    return Forgetter(database, Secret(_KEY.decode()), pause=lambda _seconds: None)


@pytest.mark.parametrize(
    ("age", "is_kept"), [(29 * _DAY, True), (30 * _DAY, True), (30 * _DAY + timedelta(seconds=1), False)]
)
def test_a_number_is_forgotten_so_many_days_after_the_last_call(
    database: Database, age: timedelta, *, is_kept: bool
) -> None:
    with database.session() as session:
        top = a_group(session, keep_callers_days=30)
        below = a_group(session, parent_id=top.id)
        call = logged(session, group_id=below.id, caller=CALLER, started_at=NOW - age)
        elder = logged(session, group_id=below.id, caller=CALLER, started_at=NOW - 90 * _DAY)
        elsewhere = logged(session, caller=CALLER, started_at=NOW - 90 * _DAY)
    reported(database, call)
    forgetful(database).forget(NOW)
    with database.reading() as session:
        kept = {row.id: (row.caller, row.caller_hash) for row in session.scalars(select(Call))}
        expected = (CALLER, None) if is_kept else (None, hash_of(CALLER, _KEY))
        assert kept == {call.id: expected, elder.id: expected, elsewhere.id: (CALLER, None)}
        raw = str(session.scalars(select(LoggedEvent)).one().raw)
        assert (CALLER.digits in raw) is is_kept
        assert "+15005550100" in raw


def test_a_group_is_looked_through_once_a_day(database: Database) -> None:
    with database.session() as session:
        group_id = a_group(session, keep_callers_days=1).id
    forgetful(database).forget(NOW)
    with database.session() as session:
        logged(session, group_id=group_id, caller=CALLER, started_at=NOW - 9 * _DAY)
    forgetful(database).forget(NOW + _DAY - timedelta(seconds=1))
    with database.reading() as session:
        assert session.scalars(select(Call.caller)).one() == CALLER
        assert session.get_one(Group, group_id).callers_forgotten_at == NOW
    forgetful(database).forget(NOW + _DAY)
    with database.reading() as session:
        assert session.scalars(select(Call.caller)).one() is None


def test_reports_are_the_same_after_callers_are_forgotten(operators_database: Database) -> None:
    database = operators_database
    with database.session() as session:
        group_id = a_group(session, keep_callers_days=30).id
        for days, caller in ((60, CALLER), (50, CALLER), (50, a_phone()), (40, None)):
            logged(session, group_id=group_id, caller=caller, started_at=NOW - days * _DAY)
    bring_up_to_date(database, NOW)
    period = Period((NOW - 70 * _DAY).date(), NOW.date(), ZoneInfo("UTC"))
    forgetful(database).forget(NOW)
    with database.reading() as session:
        assert session.scalars(select(Call.caller)).all() == [None] * 4
        assert changed_days(session) == set()
        callers = reports.totals(session, Scope(None), period).callers
        assert callers == Callers(first_time=2, repeat=1, withheld=1)
    assert differences(database) == {}


def test_who_comes_back_and_is_forgotten_again_is_one_caller(operators_database: Database) -> None:
    database = operators_database
    with database.session() as session:
        group_id = a_group(session, keep_callers_days=30).id
        logged(session, group_id=group_id, caller=CALLER, started_at=NOW - 60 * _DAY)
    bring_up_to_date(database, NOW)
    forgetful(database).forget(NOW)
    later = NOW + 50 * _DAY
    with database.session() as session:
        logged(session, group_id=group_id, caller=CALLER, started_at=NOW)
    bring_up_to_date(database, later)
    forgetful(database).forget(later)
    bring_up_to_date(database, later)
    period = Period((NOW - 70 * _DAY).date(), NOW.date(), ZoneInfo("UTC"))
    with database.reading() as session:
        callers = reports.totals(session, Scope(None), period).callers
        assert callers == Callers(first_time=1, repeat=1)
    assert differences(database) == {}


def test_a_caller_gets_all_that_is_known_of_him(database: Database) -> None:
    with database.session() as session:
        call = logged(session, caller=CALLER)
        forgotten = logged(session, caller_hash=hash_of(CALLER, _KEY))
        logged(session, caller=a_phone())
    reported(database, call)
    with database.reading() as session:
        story = list(story_of(session, CALLER, _KEY))
        assert [each["id"] for each in story] == [call.id, forgotten.id]
        assert [event["From"] for event in story[0]["events"]] == [CALLER.e164]


def test_who_is_erased_leaves_calls_of_somebody_unknown(database: Database) -> None:
    with database.session() as session:
        call = logged(session, caller=CALLER, caller_city="Denver", recording_sid="RE1")
        forgotten = logged(session, caller_hash=hash_of(CALLER, _KEY))
        forwarded = logged(session, caller=a_phone(), forwarded_from=CALLER)
    reported(database, call)
    with database.session() as session:
        found = erase(session, CALLER, _KEY)
        assert (found.calls, found.recordings) == (2, ["RE1"])
    with database.reading() as session:
        assert traces(session, CALLER, _KEY).calls == 0
        rows = {row.id: row for row in session.scalars(select(Call))}
        for call_id in (call.id, forgotten.id):
            assert (rows[call_id].caller, rows[call_id].caller_hash) == (None, None)
        assert rows[call.id].caller_city is None
        assert rows[forwarded.id].forwarded_from is None
        assert rows[forwarded.id].caller is not None
        everything = str(session.execute(text("SELECT * FROM call_events")).all())
        assert CALLER.digits not in everything


def test_what_webhooks_were_to_tell_of_an_erased_caller_is_gone(database: Database) -> None:
    with database.session() as session:
        his, another = logged(session, caller=CALLER), logged(session, caller=a_phone())
        endpoint = an_endpoint(session)
        for call in (his, another):
            session.add(
                WebhookDelivery(
                    endpoint_id=endpoint.id,
                    subject=subject_of(call.carrier, call.call_sid),
                    step="1 started",
                    message_id=f"msg_{call.id}",
                    event="call.started",
                    body="{}",
                    due_at=NOW,
                    occurred_at=NOW,
                    created_at=NOW,
                )
            )
    with database.session() as session:
        erase(session, CALLER, _KEY)
    with database.reading() as session:
        left = session.scalars(select(WebhookDelivery.subject)).all()
        assert left == [subject_of(another.carrier, another.call_sid)]


def test_reports_know_an_erased_caller_no_more(operators_database: Database) -> None:
    database = operators_database
    with database.session() as session:
        logged(session, caller=CALLER, started_at=NOW - 3 * _DAY)
    bring_up_to_date(database, NOW)
    with database.session() as session:
        erase(session, CALLER, _KEY)
    bring_up_to_date(database, NOW)
    assert differences(database) == {}
    period = Period((NOW - 9 * _DAY).date(), NOW.date(), ZoneInfo("UTC"))
    with database.reading() as session:
        assert reports.totals(session, Scope(None), period).callers == Callers(withheld=1)

"""Reconciling completes the log from the carrier's records, once, and overrules nobody who knew better."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from models import call_log
from models.base import Row
from models.call import Call
from models.call_event import LoggedEvent, record_events
from models.database import Database
from routing.arrival import Arrival, Source
from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind
from scripts import reconciling
from scripts.reconciling import Reconciler, Tally
from tests.builders import (
    BUSINESS,
    CALLER,
    NOW,
    TRACKING,
    a_campaign,
    a_number,
    an_inbound_call,
    route,
)
from tests.services.twilio_account import TwilioAccountServer, saying
from webhooks.carriers import twilio_account
from webhooks.carriers.errors import CarrierUnavailable
from webhooks.carriers.twilio_account import TwilioRestAccount

ACCOUNT = "AC" + "5" * 32
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BEGAN = NOW + 2 * SECOND


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, "token") as server:
        yield server


@pytest.fixture
def campaign(database: Database) -> int:
    return hold(database)


def hold(database: Database) -> int:
    """Hold `TRACKING` since yesterday, and return the campaign that it is on."""
    yesterday = Database(
        database.engine.url.render_as_string(hide_password=False), clock=lambda: NOW - 24 * HOUR
    )
    with yesterday.session() as session:
        campaign = a_campaign(session, external_id="LEAFLET-1")
        a_number(session, TRACKING, campaign)
    yesterday.dispose()
    return campaign.id


def reconcile(
    twilio: TwilioAccountServer, database: Database, now_is_after: timedelta = HOUR, **said: Any
) -> Tally:
    account = TwilioRestAccount(
        ACCOUNT, "token", twilio.origin, pause=lambda _s: None, trust_environment=False
    )
    now = NOW + now_is_after
    span: dict[str, Any] = {"carrier": "twilio", "since": NOW - HOUR, "until": now, "now": now}
    return Reconciler(account, database, **(span | said)).run()


def arrive(database: Database, call_sid: str, **said: Any) -> None:
    arrival = Arrival(an_inbound_call(call_sid=call_sid), route(**said), Source.INDEX)
    call_log.record(database, [arrival], NOW, "1")


def report(database: Database, call_sid: str, key: str, known: CallUpdate) -> None:
    with database.session() as session:
        record_events(
            session, [CallEvent("twilio", call_sid, EventKind.CALL, key, None, NOW + 60 * SECOND, known)]
        )


def rows(database: Database) -> dict[str, Row]:
    with database.reading() as session:
        found = session.execute(select(Call.__table__)).mappings()
        return {row["call_sid"]: dict(row) for row in found}


def events(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(LoggedEvent)) or 0


def answered(twilio: TwilioAccountServer) -> tuple[str, str]:
    """A call that rang seven seconds and was talked for 42."""
    call = twilio.add_call(TRACKING.e164, BEGAN, 51)
    leg = twilio.add_leg(call, BUSINESS.e164, BEGAN + 2 * SECOND, 42)
    twilio.calls[-1]["end_time"] = twilio.calls[-2]["end_time"]
    return call, leg


def test_a_call_whose_end_was_never_reported_is_closed(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    call, leg = answered(twilio)
    arrive(database, call)
    assert reconcile(twilio, database) == Tally(closed=1)
    row = rows(database)[call]
    assert (row["decision"], row["disposition"], row["answering_leg"]) == ("connect", "completed", leg)
    assert (row["ring_seconds"], row["talk_seconds"], row["duration_seconds"]) == (7, 42, 51)
    assert (row["started_at"], row["ended_at"]) == (NOW, BEGAN + 51 * SECOND)
    assert row["reconciled_at"] == NOW + HOUR


def test_a_call_that_the_log_lacks_is_added_and_marked(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    call, leg = answered(twilio)
    assert reconcile(twilio, database) == Tally(added=1)
    row = rows(database)[call]
    assert (row["decision"], row["reason"], row["source"], row["facts"]) == (None, None, None, None)
    assert (row["tracking_number"], row["caller"], row["destination"]) == (TRACKING, CALLER, BUSINESS)
    assert (row["campaign_id"], row["campaign_external_id"]) == (campaign, "LEAFLET-1")
    assert row["group_id"] is not None
    assert (row["disposition"], row["answering_leg"], row["talk_seconds"]) == ("completed", leg, 42)
    assert (row["started_at"], row["duration_seconds"]) == (BEGAN, 51)
    assert row["reconciled_at"] == NOW + HOUR


def test_a_second_run_changes_nothing(twilio: TwilioAccountServer, database: Database, campaign: int) -> None:
    first, _ = answered(twilio)
    arrive(database, first)
    answered(twilio)
    assert reconcile(twilio, database) == Tally(closed=1, added=1)
    before, reported = rows(database), events(database)
    assert reconcile(twilio, database, 2 * HOUR) == Tally()
    assert (rows(database), events(database)) == (before, reported)


def test_two_runs_at_once_end_in_the_same_log(
    twilio: TwilioAccountServer, postgres_database: Database
) -> None:
    hold(postgres_database)
    calls = [answered(twilio)[0] for _ in range(20)]
    for call in calls[:10]:
        arrive(postgres_database, call)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _n: reconcile(twilio, postgres_database), range(2)))
    found = rows(postgres_database)
    assert set(found) == set(calls)
    assert {row["talk_seconds"] for row in found.values()} == {42}
    assert events(postgres_database) == 40


def test_an_arrival_that_comes_after_all_completes_the_row(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    call, _ = answered(twilio)
    reconcile(twilio, database)
    arrive(database, call, campaign_id=7)
    row = rows(database)[call]
    assert (row["decision"], row["reason"], row["source"]) == ("connect", "live", "index")
    assert (row["started_at"], row["campaign_id"], row["talk_seconds"]) == (NOW, 7, 42)


def test_events_whose_call_was_lost_get_their_call_back(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    call, _ = answered(twilio)
    report(database, call, "call:completed", CallUpdate(ended_at=BEGAN + 52 * SECOND, duration_seconds=52))
    assert reconcile(twilio, database) == Tally(closed=1)
    row = rows(database)[call]
    assert (row["tracking_number"], row["caller"], row["campaign_id"]) == (TRACKING, CALLER, campaign)
    assert (row["started_at"], row["ended_at"]) == (BEGAN, BEGAN + 52 * SECOND)


def test_a_call_that_is_still_on_stays_open_and_is_closed_later(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    on, unlogged = (twilio.add_call(TRACKING.e164, NOW, None) for _ in range(2))
    arrive(database, on)
    assert reconcile(twilio, database) == Tally(still_on=2)
    assert rows(database)[on]["reconciled_at"] is None
    for record in twilio.calls:
        record.update(status="completed", end_time="Wed, 04 Mar 2026 13:30:00 +0000", duration="5400")
    assert reconcile(twilio, database, 2 * HOUR) == Tally(closed=1, added=1)
    assert rows(database)[unlogged]["duration_seconds"] == 5400


def test_a_call_that_ended_in_the_last_minutes_is_left_for_its_own_reports(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    for seconds, tally in ((599, Tally(added=1)), (600, Tally(still_on=1)), (601, Tally(still_on=1))):
        twilio.calls.clear()
        twilio.add_call(TRACKING.e164, NOW, seconds)
        assert reconcile(twilio, database, until=NOW + 600 * SECOND) == tally


def test_a_call_that_the_carrier_does_not_know_is_marked_and_not_asked_for_again(
    twilio: TwilioAccountServer, database: Database
) -> None:
    arrive(database, "CA" + "0" * 32)
    assert reconcile(twilio, database) == Tally(unknown=1)
    row = rows(database)["CA" + "0" * 32]
    assert (row["decision"], row["ended_at"], row["disposition"]) == ("connect", None, None)
    assert row["reconciled_at"] == NOW + HOUR
    asked = len(twilio.requests)
    assert reconcile(twilio, database) == Tally()
    assert len(twilio.requests) == asked + 1


def test_a_call_whose_record_cannot_be_read_is_left_for_a_later_run(
    twilio: TwilioAccountServer, database: Database
) -> None:
    call = twilio.add_call(TRACKING.e164, NOW, status=None)
    arrive(database, call)
    assert reconcile(twilio, database) == Tally()
    twilio.calls[0]["status"] = "completed"
    assert reconcile(twilio, database) == Tally(closed=1)


def test_a_call_that_began_before_the_span_at_the_carrier_is_asked_for_by_itself(
    twilio: TwilioAccountServer, database: Database
) -> None:
    call = twilio.add_call(TRACKING.e164, NOW - HOUR - SECOND, 30)
    arrive(database, call)
    assert reconcile(twilio, database) == Tally(closed=1)


def test_calls_to_numbers_that_were_not_ours_are_left_alone(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    twilio.add_call("+15005550199", NOW)
    twilio.add_call("sip:sales@example.com", NOW)
    twilio.add_call(TRACKING.e164, NOW - 24 * HOUR - SECOND)
    twilio.add_call(TRACKING.e164, NOW - 24 * HOUR)
    assert reconcile(twilio, database, since=NOW - 48 * HOUR) == Tally(added=1, elsewhere=3)


@pytest.mark.parametrize("witness", [Witness.LEG, Witness.DIAL])
def test_whoever_knew_better_is_not_overruled_nor_asked_about(
    twilio: TwilioAccountServer, database: Database, campaign: int, witness: Witness
) -> None:
    call, _ = answered(twilio)
    arrive(database, call)
    word = Disposition.NO_ANSWER
    report(database, call, "dial", CallUpdate(disposition=word, disposition_rank=rank(witness, word)))
    assert reconcile(twilio, database) == Tally(closed=1)
    row = rows(database)[call]
    assert (row["disposition"], row["talk_seconds"], row["duration_seconds"]) == ("no-answer", None, 51)
    assert row["answering_leg"] is None


def test_instants_that_were_reported_stay(
    twilio: TwilioAccountServer, database: Database, campaign: int
) -> None:
    call, _ = answered(twilio)
    arrive(database, call)
    rang, picked_up = BEGAN + 4 * SECOND, BEGAN + 10 * SECOND
    report(database, call, "leg", CallUpdate(rang_at=rang, answered_at=picked_up))
    reconcile(twilio, database)
    row = rows(database)[call]
    assert (row["rang_at"], row["answered_at"], row["ring_seconds"]) == (rang, picked_up, 6)


@pytest.mark.parametrize("status", ["no-answer", "busy"])
def test_a_rejected_call_has_no_legs_to_ask_for(
    twilio: TwilioAccountServer, database: Database, status: str
) -> None:
    call = twilio.add_call(TRACKING.e164, NOW, 0, status=status, end_time=None, duration=None)
    arrive(database, call, enabled=False)
    assert reconcile(twilio, database) == Tally(closed=1)
    row = rows(database)[call]
    assert (row["decision"], row["disposition"], row["ended_at"]) == ("reject", status, NOW)
    assert len(twilio.requests) == 1


def test_what_was_written_before_a_run_broke_off_stays_and_the_next_run_goes_on(
    twilio: TwilioAccountServer, database: Database, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_account, "_PAGE", 4)
    for _ in range(5):
        answered(twilio)
    twilio.spoiled.extend([lambda _request: None, saying(b"<html>")])
    with pytest.raises(CarrierUnavailable):
        reconcile(twilio, database)
    assert len(rows(database)) == 2
    assert reconcile(twilio, database) == Tally(added=3)


def test_a_run_that_dies_between_call_and_events_is_made_good_by_the_next(
    twilio: TwilioAccountServer, database: Database, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, _ = answered(twilio)

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reconciling, "record_events", die)
        with pytest.raises(KeyboardInterrupt):
            reconcile(twilio, database)
    assert rows(database)[call]["ended_at"] is None
    assert reconcile(twilio, database) == Tally(closed=1)
    assert rows(database)[call]["talk_seconds"] == 42


def test_it_tells_how_far_it_is(twilio: TwilioAccountServer, database: Database, campaign: int) -> None:
    for _ in range(3):
        answered(twilio)
    arrive(database, "CA" + "0" * 32)
    told: list[int] = []
    reconcile(twilio, database, progress=told.append)
    assert sum(told) == 4

"""Which calls the log lacks something of, and how gaps are filled without touching what is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.base import Row
from models.call import Call, call_by_sid
from models.call_event import record_events
from models.database import Database
from models.reconciliation import (
    FoundCall,
    earliest_lacking,
    holdings_of,
    lacking,
    logged,
    record_found,
)
from routing.events import CallEvent, CallUpdate, EventKind
from tests.builders import BUSINESS, CALLER, NOW, TRACKING, a_campaign, a_number, a_phone

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FOUND = FoundCall(
    carrier="twilio",
    call_sid="CA1",
    started_at=NOW,
    created_at=NOW,
    tracking_number=TRACKING,
    dialled_text=None,
    caller=CALLER,
    destination=BUSINESS,
    group_id=3,
    campaign_id=7,
    campaign_external_id="LEAFLET-1",
)


def log(database: Database, call_sid: str, **said: object) -> None:
    """A call that was decided at `NOW` and has not ended, unless told otherwise."""
    plain: Row = {"decision": "connect", "reason": "live", "source": "index", "carrier": "twilio"}
    with database.session() as session:
        session.add(Call(**(plain | {"call_sid": call_sid, "started_at": NOW, "created_at": NOW} | said)))


def found_lacking(database: Database, after: int = 0, limit: int = 99) -> list[str]:
    with database.reading() as session:
        rows = lacking(session, "twilio", since=NOW - HOUR, until=NOW + HOUR, after=after, limit=limit)
        return [row.call_sid for row in rows]


@pytest.mark.parametrize(
    ("began", "counts"),
    [(-HOUR - SECOND, False), (-HOUR, True), (HOUR - SECOND, True), (HOUR, False), (HOUR + SECOND, False)],
)
def test_since_is_included_and_until_is_not(
    database: Database,
    began: timedelta,
    counts: bool,  # noqa: FBT001
) -> None:
    log(database, "CA1", started_at=NOW + began, created_at=NOW + began)
    assert bool(found_lacking(database)) == counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({}, True),
        ({"ended_at": NOW}, False),
        ({"ended_at": NOW, "decision": None}, True),
        ({"decision": None}, True),
        ({"reconciled_at": NOW}, False),
        ({"reconciled_at": NOW, "decision": None}, False),
        ({"carrier": "telnyx"}, False),
    ],
)
def test_a_call_lacks_its_end_or_its_arrival_until_the_carrier_was_asked(
    database: Database,
    said: Row,
    counts: bool,  # noqa: FBT001
) -> None:
    log(database, "CA1", **said)
    assert bool(found_lacking(database)) == counts
    with database.reading() as session:
        assert (earliest_lacking(session, "twilio", NOW - HOUR) is not None) == counts
        assert [row.lacks_something for row in logged(session, "twilio", ["CA1", "CA2"]).values()] == (
            [counts] if said.get("carrier") != "telnyx" else []
        )


def test_what_is_lacking_comes_in_portions(database: Database) -> None:
    for serial in range(5):
        log(database, f"CA{serial}", started_at=NOW - serial * SECOND)
    assert found_lacking(database, limit=2) == ["CA0", "CA1"]
    with database.reading() as session:
        second = call_by_sid(session, "twilio", "CA1")
        assert earliest_lacking(session, "twilio", NOW - HOUR) == NOW - 4 * SECOND
    assert second is not None
    assert found_lacking(database, after=second.id) == ["CA2", "CA3", "CA4"]


def test_gaps_of_a_call_without_a_decision_are_filled_and_nothing_else(database: Database) -> None:
    event = CallEvent(
        "twilio",
        "CA1",
        EventKind.DIAL,
        "dial",
        None,
        NOW,
        CallUpdate(started_at=NOW + SECOND, talk_seconds=9),
    )
    with database.session() as session:
        record_events(session, [event])
    log(database, "CA2", caller=BUSINESS)
    for found in (FOUND, replace(FOUND, caller=BUSINESS, started_at=NOW + HOUR)):
        with database.session() as session:
            record_found(session, [found, replace(found, call_sid="CA2")])
    with database.reading() as session:
        lost, decided = (call_by_sid(session, "twilio", sid) for sid in ("CA1", "CA2"))
    assert lost is not None
    assert (lost.caller, lost.tracking_number, lost.campaign_id) == (CALLER, TRACKING, 7)
    assert (lost.started_at, lost.talk_seconds, lost.decision) == (NOW, 9, None)
    assert decided is not None
    assert (decided.caller, decided.tracking_number, decided.campaign_id) == (BUSINESS, None, None)


def test_every_holding_of_a_number_is_known_the_latest_first(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session, external_id="LEAFLET-1")
        first = a_number(session, TRACKING, campaign)
        first.release(NOW)
        session.flush()
        second = a_number(session, TRACKING)
    with database.reading() as session:
        holdings = holdings_of(session, [TRACKING, a_phone()])
    assert [(held.group_id, held.campaign_external_id) for held in holdings[TRACKING]] == [
        (second.group_id, None),
        (first.group_id, "LEAFLET-1"),
    ]
    assert list(holdings) == [TRACKING]

"""What happens is written down for everybody who listens, with what it tells of, once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from models import call_log
from models.campaign_news import tell_by_the_clock
from models.database import Database
from models.group import Group
from models.tracking_number import TrackingNumber, held_number
from models.webhook_delivery import WebhookAttempt, WebhookDelivery, forget_calls, forget_deliveries
from models.webhook_endpoint import WebhookEndpoint
from routing.arrival import Arrival, Source
from routing.disposition import Disposition, Witness, rank
from routing.events import CallEvent, CallUpdate, EventKind
from routing.route import Route
from tests.builders import (
    BUSINESS,
    CALLER,
    NOW,
    TRACKING,
    a_campaign,
    a_group,
    a_number,
    an_endpoint,
    an_inbound_call,
    campaign_facts,
    number_facts,
)

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LONG_AGO = NOW - 30 * DAY
ANSWERED = CallUpdate(answered_at=NOW + 5 * SECOND, rang_at=NOW + SECOND)
ENDED = CallUpdate(
    disposition=Disposition.COMPLETED,
    disposition_rank=rank(Witness.CALL, Disposition.COMPLETED),
    ended_at=NOW + 35 * SECOND,
    duration_seconds=35,
)
RECORDED = CallUpdate(recording_sid="RE1", recording_url="https://x/RE1", recording_seconds=30)


class KilledHere(Exception):
    """As if the process ended."""


@pytest.fixture
def clock() -> list[datetime]:
    return [LONG_AGO]


@pytest.fixture
def house(database: Database, clock: list[datetime]) -> Iterator[Database]:
    """The database, with a clock that can be set."""
    url = database.engine.url.render_as_string(hide_password=False)
    house = Database(url, clock=lambda: clock[0])
    yield house
    house.dispose()


def listen(house: Database, group_id: int | None = None, **said: Any) -> int:
    with house.session() as session:
        group = {} if group_id is None else {"group_id": group_id}
        return an_endpoint(session, **group, **said).id


def a_place(house: Database, parent_id: int | None = None) -> int:
    with house.session() as session:
        return a_group(session, parent_id=parent_id).id


def told(house: Database, endpoint_id: int | None = None) -> list[dict[str, Any]]:
    """The payloads that wait, in the order in which they are sent."""
    wanted = select(WebhookDelivery.body).order_by(WebhookDelivery.due_at, WebhookDelivery.id)
    if endpoint_id is not None:
        wanted = wanted.where(WebhookDelivery.endpoint_id == endpoint_id)
    with house.reading() as session:
        return [json.loads(body) for body in session.scalars(wanted)]


def events(house: Database, endpoint_id: int | None = None) -> list[str]:
    return [payload["type"] for payload in told(house, endpoint_id)]


def an_arrival(group_id: int = 1, call_sid: str = "CA1", campaign_id: int = 7) -> Arrival:
    route = Route(number_facts(), campaign_facts(campaign_id, group_id=group_id, external_id="SL-1"))
    return Arrival(an_inbound_call(call_sid=call_sid), route, Source.INDEX)


def an_event(update: CallUpdate, key: str, call_sid: str = "CA1") -> CallEvent:
    return CallEvent("twilio", call_sid, EventKind.CALL, key, None, NOW + 40 * SECOND, update)


def happen(house: Database, *happenings: Arrival | CallEvent) -> None:
    call_log.record(house, happenings, NOW, "v1")


def test_a_call_is_told_from_its_start_to_its_recording(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    happen(house, an_arrival(group))
    happen(house, an_event(ANSWERED, "leg"))
    happen(house, an_event(ENDED, "call"))
    happen(house, an_event(RECORDED, "recording"))
    assert events(house) == ["call.started", "call.connected", "call.completed", "call.recorded"]
    started, connected, completed, recorded = told(house)
    assert started["version"] == 1
    assert started["timestamp"] == "2026-03-04T12:00:00Z"
    assert started["data"]["call_sid"] == "CA1"
    assert started["data"]["tracking_number"] == TRACKING.e164
    assert started["data"]["caller"] == CALLER.e164
    assert (started["data"]["campaign_id"], started["data"]["campaign_external_id"]) == (7, "SL-1")
    assert (started["data"]["decision"], started["data"]["reason"]) == ("connect", "live")
    assert started["data"]["destination"] == BUSINESS.e164
    assert started["data"]["disposition"] is None
    assert connected["timestamp"] == connected["data"]["answered_at"] == "2026-03-04T12:00:05Z"
    assert (completed["data"]["disposition"], completed["data"]["duration_seconds"]) == ("completed", 35)
    assert (recorded["data"]["recording_url"], recorded["data"]["recording_seconds"]) == ("https://x/RE1", 30)


def test_all_of_a_call_at_once_is_told_in_its_order(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    happen(house, an_event(RECORDED, "3"), an_event(ENDED, "2"), an_event(ANSWERED, "1"))
    assert events(house) == []  # nobody knows yet whose call it is
    happen(house, an_arrival(group))
    assert events(house) == ["call.started", "call.connected", "call.completed", "call.recorded"]


def test_what_is_repeated_is_told_once(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    everything = (an_arrival(group), an_event(ANSWERED, "leg"), an_event(ENDED, "call"))
    for _ in range(3):
        happen(house, *everything)
    assert events(house) == ["call.started", "call.connected", "call.completed"]


def test_what_becomes_known_after_the_end_is_told_with_what_has_changed(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    happen(house, an_arrival(group), an_event(ENDED, "call"))
    happen(house, an_event(CallUpdate(talk_seconds=28), "dial"))
    happen(house, an_event(CallUpdate(talk_seconds=28), "dial again"))
    assert events(house) == ["call.started", "call.completed", "call.updated"]
    assert told(house)[-1]["changes"] == ["talk_seconds"]
    assert told(house)[-1]["data"]["talk_seconds"] == 28


def test_a_rejected_call_starts_and_completes(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    over = Route(number_facts(), campaign_facts(group_id=group, ends_at=NOW - SECOND))
    happen(house, Arrival(an_inbound_call(call_sid="CA1"), over, Source.INDEX))
    happen(house, an_event(ENDED, "call"))
    assert events(house) == ["call.started", "call.completed"]
    assert (told(house)[0]["data"]["decision"], told(house)[0]["data"]["reason"]) == ("reject", "ended")


def test_a_call_of_no_group_is_nobodys_business(house: Database) -> None:
    listen(house)
    happen(house, Arrival(an_inbound_call(call_sid="CA1"), None, Source.INDEX), an_event(ENDED, "call"))
    assert events(house) == []


def test_an_endpoint_hears_of_its_group_and_those_below(house: Database) -> None:
    top = a_place(house)
    middle = a_place(house, top)
    bottom, beside = a_place(house, middle), a_place(house, top)
    ears = {group: listen(house, group) for group in (top, middle, bottom, beside, a_place(house))}
    happen(house, an_arrival(middle))
    assert {group for group, ear in ears.items() if events(house, ear)} == {top, middle}


def test_an_endpoint_hears_what_it_asked_for(house: Database) -> None:
    group = a_place(house)
    only_ends = listen(house, group, events=["call.completed"])
    other_campaign = listen(house, group, campaign_ids=[8, 9])
    this_campaign = listen(house, group, campaign_ids=[7])
    with house.session() as session:
        an_endpoint(session, group_id=group).archived_at = NOW
    happen(house, an_arrival(group), an_event(ENDED, "call"))
    assert events(house, only_ends) == ["call.completed"]
    assert events(house, other_campaign) == []
    assert events(house, this_campaign) == ["call.started", "call.completed"]
    assert len(told(house)) == 3


def test_nobody_hears_of_what_was_before_he_listened(house: Database, clock: list[datetime]) -> None:
    group = a_place(house)
    clock[0] = NOW + SECOND
    listen(house, group)
    happen(house, an_arrival(group), an_event(ENDED, "call"))
    assert events(house) == ["call.completed"]


def test_whoever_is_paused_or_disabled_hears_of_it_later(house: Database) -> None:
    group = a_place(house)
    with house.session() as session:
        an_endpoint(session, group_id=group, paused=True)
        an_endpoint(session, group_id=group, disabled_at=NOW, disabled_because="gone")
    happen(house, an_arrival(group))
    assert events(house) == ["call.started", "call.started"]


def test_static_fields_and_the_id_of_the_message_come_along(house: Database) -> None:
    group = a_place(house)
    one = listen(house, group, fields={"tenant": "north", "key": "ü"})
    other = listen(house, group)
    happen(house, an_arrival(group))
    assert told(house, one)[0]["fields"] == {"tenant": "north", "key": "ü"}
    assert told(house, other)[0]["fields"] == {}
    with house.reading() as session:
        ids = session.scalars(select(WebhookDelivery.message_id)).all()
    assert len(set(ids)) == 1  # it is the same event for both
    assert ids[0].startswith("msg_")


def test_what_is_not_committed_was_not_told(house: Database) -> None:
    group = a_place(house)
    listen(house, group)

    def die(_session: Session) -> None:
        raise KilledHere

    event.listen(house._writing, "before_commit", die)
    with pytest.raises(KilledHere):
        happen(house, an_arrival(group))
    event.remove(house._writing, "before_commit", die)
    assert events(house) == []
    happen(house, an_arrival(group))
    assert events(house) == ["call.started"]


def test_where_nobody_listens_calls_pay_for_one_question(house: Database) -> None:
    group = a_place(house)
    happen(house, an_arrival(group, "CA0"))
    asked: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    happen(house, an_arrival(group))
    assert len([statement for statement in asked if "webhook" in statement]) == 1
    assert [statement for statement in asked if statement.startswith("SELECT") and "calls" in statement] == []


def test_two_workers_that_meet_in_the_same_calls_tell_each_once(postgres_database: Database) -> None:
    with postgres_database.session() as session:
        group = an_endpoint(session).group_id
        session.get_one(WebhookEndpoint, 1).created_at = LONG_AGO
    sids = [f"CA{number}" for number in range(40)]
    arrivals = [an_arrival(group, sid) for sid in sids]
    ends = [an_event(ENDED, "call", sid) for sid in sids]
    with ThreadPoolExecutor(4) as pool:
        works = (arrivals, ends, arrivals[::-1], ends[::-1])
        for done in [pool.submit(happen, postgres_database, *work) for work in works]:
            done.result()
    with postgres_database.reading() as session:
        rows = session.execute(
            select(WebhookDelivery.subject, WebhookDelivery.event).order_by(WebhookDelivery.id)
        ).all()
    for sid in sids:
        heard = [kind for subject, kind in rows if subject == f"call twilio {sid}"]
        assert sorted(heard) == ["call.completed", "call.started"]


def test_what_was_told_of_a_call_can_be_forgotten(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    happen(house, an_arrival(group, "CA1"), an_arrival(group, "CA2"), an_event(ENDED, "call", "CA1"))
    with house.session() as session:
        session.add(WebhookAttempt(delivery_id=1, at=NOW, milliseconds=1))
        assert forget_calls(session, [("twilio", "CA1"), ("twilio", "CA3")]) == 2
    assert [payload["data"]["call_sid"] for payload in told(house)] == ["CA2"]


def test_old_deliveries_are_forgotten_with_their_attempts(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    happen(house, an_arrival(group))
    with house.session() as session:
        [delivery] = session.scalars(select(WebhookDelivery))
        delivery.created_at = NOW
        session.add(WebhookAttempt(delivery_id=delivery.id, at=NOW, milliseconds=1))
    with house.session() as session:
        assert forget_deliveries(session, NOW) == 0
        assert forget_deliveries(session, NOW + SECOND) == 1
        assert session.scalars(select(WebhookAttempt)).all() == []


# Campaigns and numbers.


def test_a_campaign_that_is_created_to_run_now_has_started(house: Database, clock: list[datetime]) -> None:
    group = a_place(house)
    listen(house, group)
    clock[0] = NOW
    with house.session() as session:
        a_campaign(session, group_id=group, starts_at=NOW, external_id="SL-1")
        a_campaign(session, group_id=group, starts_at=NOW + DAY)
    assert events(house) == ["campaign.started"]
    data = told(house)[0]["data"]
    assert (data["campaign_external_id"], data["campaign_name"]) == ("SL-1", "Leaflet")
    assert data["starts_at"] == told(house)[0]["timestamp"] == "2026-03-04T12:00:00Z"
    by_the_clock(house, NOW - DAY, NOW + SECOND)
    assert events(house) == ["campaign.started"]  # the clock saw the same start


def by_the_clock(house: Database, since: datetime, now: datetime) -> int:
    with house.session() as session:
        return tell_by_the_clock(session, since, now)


def test_the_clock_tells_each_start_and_end_once(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    with house.session() as session:
        a_campaign(session, group_id=group, starts_at=NOW, ends_at=NOW + DAY)
    assert by_the_clock(house, NOW - DAY, NOW - SECOND) == 0
    assert by_the_clock(house, NOW - DAY, NOW) == 1
    assert by_the_clock(house, NOW - DAY, NOW + SECOND) == 0
    assert by_the_clock(house, NOW - DAY, NOW + DAY - SECOND) == 0
    assert by_the_clock(house, NOW - DAY, NOW + DAY) == 1
    assert by_the_clock(house, NOW - DAY, NOW + DAY + SECOND) == 0
    assert events(house) == ["campaign.started", "campaign.ended"]


def test_after_a_long_absence_start_and_end_are_told_in_their_order(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    with house.session() as session:
        a_campaign(session, group_id=group, starts_at=NOW, ends_at=NOW + DAY)
    assert by_the_clock(house, NOW - DAY, NOW + 2 * DAY) == 2
    assert events(house) == ["campaign.started", "campaign.ended"]


def test_an_archived_campaign_does_not_start_any_more(house: Database) -> None:
    group = a_place(house)
    listen(house, group)
    with house.session() as session:
        a_campaign(session, group_id=group, starts_at=NOW).archived_at = LONG_AGO
    assert by_the_clock(house, NOW - DAY, NOW + DAY) == 0


@pytest.mark.parametrize(
    ("change", "told_at"),
    [
        ({"ends_at": NOW}, NOW),
        ({"ends_at": NOW - DAY}, NOW - DAY),
        ({"archived_at": NOW}, NOW),
        ({"starts_at": NOW + DAY}, NOW),
    ],
)
def test_an_edit_that_ends_a_campaign_says_so(
    house: Database, clock: list[datetime], change: dict[str, datetime], told_at: datetime
) -> None:
    group = a_place(house)
    with house.session() as session:
        campaign = a_campaign(session, group_id=group, starts_at=NOW - 2 * DAY)
    listen(house, group)
    clock[0] = NOW
    with house.session() as session:
        kept = session.get_one(type(campaign), campaign.id)
        for name, value in change.items():
            setattr(kept, name, value)
    assert events(house) == ["campaign.ended"]
    assert told(house)[0]["timestamp"] == told_at.isoformat().replace("+00:00", "Z")
    by_the_clock(house, NOW - DAY, NOW + SECOND)
    assert events(house) == ["campaign.ended"]


def test_a_campaign_that_goes_on_after_its_end_has_started_again(
    house: Database, clock: list[datetime]
) -> None:
    group = a_place(house)
    listen(house, group)
    with house.session() as session:
        campaign = a_campaign(session, group_id=group, starts_at=NOW, ends_at=NOW + DAY)
    by_the_clock(house, NOW - DAY, NOW + DAY)
    clock[0] = NOW + 2 * DAY
    with house.session() as session:
        session.get_one(type(campaign), campaign.id).ends_at = NOW + 3 * DAY
    by_the_clock(house, NOW - DAY, NOW + 3 * DAY)
    assert events(house) == ["campaign.started", "campaign.ended", "campaign.started", "campaign.ended"]


def test_other_edits_of_a_campaign_are_no_news(house: Database, clock: list[datetime]) -> None:
    group = a_place(house)
    with house.session() as session:
        campaign = a_campaign(session, group_id=group, starts_at=NOW - DAY)
    listen(house, group)
    clock[0] = NOW
    with house.session() as session:
        kept = session.get_one(type(campaign), campaign.id)
        kept.name, kept.enabled, kept.ends_at = "Poster", False, NOW + DAY
    assert events(house) == []


def test_a_number_that_is_released_is_told(house: Database, clock: list[datetime]) -> None:
    group = a_place(house)
    with house.session() as session:
        campaign = a_campaign(session, group_id=group, external_id="SL-1", starts_at=NOW - DAY)
        a_number(session, TRACKING, campaign, name="Front page")
    listen(house, group)
    clock[0] = NOW
    with house.session() as session:
        number = held_number(session, TRACKING)
        assert number is not None
        number.release(NOW)
    assert events(house) == ["number.released"]
    data = told(house)[0]["data"]
    assert (data["tracking_number"], data["name"]) == (TRACKING.e164, "Front page")
    assert (data["campaign_id"], data["campaign_external_id"]) == (campaign.id, "SL-1")
    with house.session() as session:
        number = session.get_one(TrackingNumber, data["id"])
        number.name = "Old page"
    assert events(house) == ["number.released"]


def test_a_circle_of_groups_ends_the_search_for_listeners(house: Database) -> None:
    top = a_place(house)
    below = a_place(house, top)
    listen(house, below)
    groups: Any = Group.__table__
    with house.session() as session:
        session.connection().execute(groups.update().where(groups.c.id == top).values(parent_id=below))
    happen(house, an_arrival(top))
    assert events(house) == ["call.started"]

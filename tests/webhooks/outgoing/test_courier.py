"""Deliveries arrive at least once, signed, in order, and no receiver holds up another."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from models.database import Database
from models.webhook_delivery import DeliveryStatus
from models.webhook_endpoint import TEST_EVENT, WebhookEndpoint
from tests.services.receiver import Receiver, answering, hanging, resetting
from tests.webhooks.outgoing.conftest import PostOffice

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SECRET, EARLIER = "whsec_" + "bmV3IGtleSE=" * 1, "whsec_" + "b2xkIGtleSE="


def edit(database: Database, endpoint: WebhookEndpoint, **values: object) -> None:
    with database.session() as session:
        row = session.get_one(WebhookEndpoint, endpoint.id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_delivery_verifies_with_the_library_of_standard_webhooks(on_either: PostOffice) -> None:
    with Receiver() as receiver:
        endpoint = on_either.endpoint(receiver.address, secret=SECRET)
        on_either.tell(endpoint)
        on_either.settle(on_either.courier(), 1)
        (request,) = receiver.received
        payload = Webhook(SECRET).verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.body + b" ", request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(EARLIER).verify(request.body, request.headers)
    assert payload["type"] == "call.started"
    (delivery,) = on_either.deliveries()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)
    assert request.message_id == delivery.message_id
    (attempt,) = on_either.attempts()
    assert (attempt.status, attempt.problem, attempt.answer) == (204, None, "")


def test_after_a_rotation_both_secrets_sign_for_a_while(office: PostOffice) -> None:
    with Receiver() as receiver:
        endpoint = office.endpoint(
            receiver.address,
            secret=SECRET,
            previous_secret=EARLIER,
            previous_until=datetime.now(UTC) + MINUTE,
        )
        courier = office.courier()
        office.tell(endpoint)
        office.settle(courier, 1)
        for secret in (SECRET, EARLIER):
            Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
        assert len(receiver.received[0].headers["webhook-signature"].split(" ")) == 2
        edit(office.database, endpoint, previous_until=datetime.now(UTC) - SECOND)
        office.tell(endpoint)
        office.settle(courier, 2)
        Webhook(SECRET).verify(receiver.received[1].body, receiver.received[1].headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(EARLIER).verify(receiver.received[1].body, receiver.received[1].headers)


def test_a_failure_is_tried_again_as_the_schedule_says_under_the_same_id(on_either: PostOffice) -> None:
    with Receiver(answering(500, b"no")) as receiver:
        endpoint = on_either.endpoint(receiver.address)
        courier = on_either.courier()
        on_either.tell(endpoint)
        delays = []
        for attempt in range(1, 11):
            on_either.settle(courier, attempt)
            (delivery,) = on_either.deliveries()
            delays.append(delivery.due_at - on_either.now())
            on_either.ahead += max(delays[-1], timedelta(0)) + SECOND
        courier.work(0.05)
        assert len(receiver.received) == 10
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 10)
    hours = [delay.total_seconds() / 3600 for delay in delays[:9]]
    least = [5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    assert all(low * 0.9 <= hour <= low * 1.2 for low, hour in zip(least, hours, strict=True))
    assert len({request.message_id for request in receiver.received}) == 1
    assert len({request.headers["webhook-timestamp"] for request in receiver.received}) == 10
    assert len({request.body for request in receiver.received}) == 1
    assert on_either.lane(endpoint).failures == 10
    assert on_either.lane(endpoint).failing_since is not None


def test_a_receiver_that_is_there_again_gets_it_and_is_well(office: PostOffice) -> None:
    with Receiver(answering(500)) as receiver:
        endpoint = office.endpoint(receiver.address)
        courier = office.courier()
        office.tell(endpoint)
        office.settle(courier, 1)
        receiver.behaviour = answering(200)
        office.ahead += 10 * SECOND
        office.settle(courier, 2)
    assert office.deliveries()[0].status is DeliveryStatus.DELIVERED
    lane = office.lane(endpoint)
    assert (lane.failures, lane.failing_since, lane.worker) == (0, None, None)
    assert lane.last_success_at is not None


def test_410_disables_the_endpoint_and_says_so(on_either: PostOffice) -> None:
    with Receiver(answering(410)) as receiver:
        endpoint = on_either.endpoint(receiver.address)
        courier = on_either.courier()
        on_either.tell(endpoint)
        on_either.settle(courier, 1)
        on_either.tell(endpoint)
        on_either.ahead += 3600 * SECOND
        for _ in range(3):
            courier.work(0.05)
        assert len(receiver.received) == 1
        with on_either.database.reading() as session:
            disabled = session.get_one(WebhookEndpoint, endpoint.id)
            assert disabled.disabled_at is not None
            assert disabled.disabled_because == "the receiver answered 410: it is gone"
        receiver.behaviour = answering(200)
        edit(on_either.database, endpoint, disabled_at=None, disabled_because=None)
        on_either.settle(courier, 3)
    assert [delivery.status for delivery in on_either.deliveries()] == [DeliveryStatus.DELIVERED] * 2


def test_retry_after_leaves_the_endpoint_in_peace_so_long(office: PostOffice) -> None:
    with Receiver(answering(429, Retry_After="120")) as receiver:
        endpoint = office.endpoint(receiver.address)
        courier = office.courier()
        office.tell(endpoint)
        office.settle(courier, 1)
        office.tell(endpoint)
        receiver.behaviour = answering(200)
        office.ahead += 110 * SECOND
        courier.work(0.05)
        assert len(receiver.received) == 1
        office.ahead += 15 * SECOND
        office.settle(courier, 3)
    assert {delivery.status for delivery in office.deliveries()} == {DeliveryStatus.DELIVERED}


def test_what_hangs_or_resets_holds_up_nobody_else(office: PostOffice) -> None:
    with Receiver(hanging) as slow, Receiver(resetting) as rude, Receiver() as quick:
        bad = [office.endpoint(receiver.address) for receiver in (slow, rude)]
        good = office.endpoint(quick.address)
        courier = office.courier(timeout=2.0)
        for _ in range(20):
            for endpoint in (*bad, good):
                office.tell(endpoint)
        began = time.monotonic()
        office.work(courier, lambda: len(quick.received) == 20)
        assert time.monotonic() - began < 1.5
        assert slow.connections == 1  # who has not shown that he answers gets one at a time


def test_events_of_one_call_arrive_in_their_order(office: PostOffice) -> None:
    with Receiver() as receiver:
        endpoint = office.endpoint(receiver.address)
        courier = office.courier()
        for _ in range(4):
            for subject in ("call A", "call B", "call C"):
                office.tell(endpoint, subject)
        office.work(courier, lambda: len(receiver.received) == 12)
    serials = [body["data"]["serial"] for body in receiver.bodies()]
    for first in (1, 2, 3):
        of_one = [serial for serial in serials if serial % 3 == first % 3]
        assert of_one == sorted(of_one)


def test_a_later_event_of_a_call_waits_for_an_earlier_one_for_a_while(on_either: PostOffice) -> None:
    with Receiver(answering(500)) as receiver:
        endpoint = on_either.endpoint(receiver.address)
        courier = on_either.courier()
        on_either.tell(endpoint, "call A")
        on_either.tell(endpoint, "call A")
        on_either.settle(courier, 1)
        receiver.behaviour = answering(200)
        courier.work(0.05)
        assert len(receiver.received) == 1
        on_either.ahead += 10 * SECOND
        on_either.settle(courier, 3)
    assert [body["data"]["serial"] for body in receiver.bodies()] == [1, 1, 2]


def test_an_event_that_is_never_taken_does_not_hold_up_its_call_for_ever(office: PostOffice) -> None:
    def picky(connection: object, request: object) -> None:
        refuse = request.json["data"]["serial"] == 1  # type: ignore[attr-defined]
        answering(500 if refuse else 200)(connection, request)  # type: ignore[arg-type]

    with Receiver(picky) as receiver:
        endpoint = office.endpoint(receiver.address)
        courier = office.courier()
        office.tell(endpoint, "call A")
        office.tell(endpoint, "call A")
        for attempts in (1, 2):
            office.settle(courier, attempts)
            office.ahead += 7 * MINUTE
        office.settle(courier, 4)
    assert [body["data"]["serial"] for body in receiver.bodies()] == [1, 1, 1, 2]


def test_whoever_is_paused_is_told_nothing_but_tests(on_either: PostOffice) -> None:
    with Receiver() as receiver:
        endpoint = on_either.endpoint(receiver.address, paused=True, events=[TEST_EVENT, "call.started"])
        courier = on_either.courier()
        on_either.tell(endpoint)
        on_either.tell(endpoint, event=TEST_EVENT)
        on_either.settle(courier, 1)
        courier.work(0.05)
        assert [body["type"] for body in receiver.bodies()] == [TEST_EVENT]
        edit(on_either.database, endpoint, paused=False)
        on_either.settle(courier, 2)
        assert receiver.bodies()[1]["type"] == "call.started"


def test_a_test_is_tried_once(office: PostOffice) -> None:
    with Receiver(answering(500)) as receiver:
        endpoint = office.endpoint(receiver.address, events=[TEST_EVENT])
        office.tell(endpoint, event=TEST_EVENT)
        office.settle(office.courier(), 1)
    assert office.deliveries()[0].status is DeliveryStatus.FAILED


def test_an_address_that_may_not_be_reached_is_a_failure_like_others(office: PostOffice) -> None:
    endpoint = office.endpoint("https://10.0.0.1/")
    office.tell(endpoint)
    office.settle(office.courier(), 1)
    assert office.attempts()[0].problem == (
        "the address leads to a network that is not public; give a public address"
    )
    assert office.deliveries()[0].status is DeliveryStatus.PENDING


def test_a_courier_that_died_after_sending_is_made_good_under_the_same_id(on_either: PostOffice) -> None:
    """As killed between the receiver's answer and our commit."""
    with Receiver() as receiver:
        endpoint = on_either.endpoint(receiver.address, secret=SECRET)
        on_either.tell(endpoint)
        first = on_either.courier("first")
        first._write_down = lambda: 0  # type: ignore[method-assign] # it dies before it can
        on_either.work(first, lambda: receiver.received)
        second = on_either.courier("second")
        second.work(0.05)
        assert len(receiver.received) == 1  # the first may still be there
        on_either.ahead += 11 * SECOND
        on_either.settle(second, 1)
    one, other = receiver.received
    assert one.message_id == other.message_id
    assert one.headers["webhook-timestamp"] != other.headers["webhook-timestamp"]
    Webhook(SECRET).verify(one.body, one.headers)
    assert on_either.deliveries()[0].status is DeliveryStatus.DELIVERED


def test_several_couriers_share_the_work_and_send_nothing_twice(office: PostOffice) -> None:
    with Receiver() as receiver:
        endpoints = [office.endpoint(receiver.address) for _ in range(12)]
        for _ in range(5):
            for endpoint in endpoints:
                office.tell(endpoint)
        couriers = [office.courier(name) for name in ("one", "two", "three")]
        deadline = time.monotonic() + 10
        while len(office.attempts()) < 60 and time.monotonic() < deadline:
            for courier in couriers:
                courier.work(0.01)
        ids = [request.message_id for request in receiver.received]
    assert len(ids) == len(set(ids)) == 60


def test_a_courier_stays_on_its_lanes_as_long_as_it_lives(office: PostOffice) -> None:
    with Receiver(hanging) as receiver:
        endpoint = office.endpoint(receiver.address)
        office.tell(endpoint)
        courier = office.courier(lease=timedelta(seconds=0.6))
        other = office.courier("other", lease=timedelta(seconds=0.6))
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            courier.work(0.05)
            other.work(0.01)
        assert receiver.connections == 1
        courier.finish(0)
        office.couriers.remove(courier)
        office.work(other, lambda: receiver.connections == 2)

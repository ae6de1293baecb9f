"""No event is lost: workers are killed, Redis dies, the receiver is away, and everything arrives."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from models.database import Database
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import WebhookLane
from routing.arrival import Arrival, Source
from routing.index.layout import Layout
from routing.journal import Journal
from routing.route import Route
from tests.builders import an_endpoint, an_inbound_call, campaign_facts, number_facts
from tests.scripts.installation import SECRETS
from tests.services.commands import ROOT, Command
from tests.services.receiver import Receiver, answering, resetting
from tests.services.redis_server import RedisServer

SECRET = "whsec_" + "c2VjcmV0" * 5
AT_ONCE = 20


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, patient=True)
    yield database
    database.dispose()


@pytest.fixture
def folder(
    mortal_redis: RedisServer, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    environment = SECRETS | {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": mortal_redis.url,
        "WEBHOOK_NETWORKS": "127.0.0.0/8",
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(ROOT),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slowly(connection: Any, request: Any) -> None:
    """So that a kill meets some that are under way."""
    time.sleep(0.01)
    answering()(connection, request)


class Exchange:
    """Calls that ring, one endpoint that wants to hear of them, and what it has heard."""

    def __init__(self, database: Database, redis_server: RedisServer, receiver: Receiver) -> None:
        self._database = database
        self._redis = redis_server
        self._receiver = receiver
        self.rung: set[str] = set()
        self._next_jump = 0.0
        with database.session() as session:
            events = ["call.started"]
            endpoint = an_endpoint(session, address=receiver.address, secret=SECRET, events=events)
            self._group_id = endpoint.group_id

    def ring(self) -> None:
        route = Route(number_facts(), campaign_facts(group_id=self._group_id))
        with self._redis.client() as client:
            journal = Journal(client, Layout())
            for _ in range(AT_ONCE):
                call = an_inbound_call(received_at=datetime.now(UTC))
                journal.append(Arrival(call, route, Source.DATABASE))
                self.rung.add(call.call_sid)

    @property
    def heard(self) -> set[str]:
        return {body["data"]["call_sid"] for body in self._receiver.bodies()}

    def time_passes(self) -> None:
        """What a dead worker was at may be taken over, and what has failed is tried again."""
        past = datetime.now(UTC) - timedelta(minutes=1)
        lanes: Any = WebhookLane.__table__
        waiting = select(WebhookDelivery).filter_by(status=DeliveryStatus.PENDING)
        with self._database.session() as session:
            in_order = waiting.order_by(WebhookDelivery.id).with_for_update(key_share=True)
            for delivery in session.scalars(in_order):
                delivery.due_at = past
            session.flush()
            session.connection().execute(update(lanes).values(leased_until=past, blocked_until=None))

    def has_heard_all(self) -> bool:
        if time.monotonic() > self._next_jump:
            self.time_passes()
            self._next_jump = time.monotonic() + 0.5
        return self.heard == self.rung

    def told(self) -> list[str]:
        """What was written to be told."""
        with self._database.reading() as session:
            return list(session.scalars(select(WebhookDelivery.subject)))


def test_kills_of_worker_redis_and_receiver_lose_no_event(
    folder: Path, database: Database, mortal_redis: RedisServer
) -> None:
    with Receiver(slowly) as receiver:
        exchange = Exchange(database, mortal_redis, receiver)
        for killed_after in (1, 15):
            with Command("worker", folder) as worker:
                exchange.ring()
                goal = len(receiver.received) + killed_after
                worker.wait_until(lambda goal=goal: len(receiver.received) >= goal)  # type: ignore[misc]
                worker.send(signal.SIGKILL)
                worker.wait()
            exchange.time_passes()
        with Command("worker", folder) as worker:
            receiver.behaviour = resetting
            goal = len(receiver.received) + 1
            exchange.ring()
            worker.wait_until(lambda: len(receiver.received) >= goal)
            worker.wait_until(lambda: len(exchange.told()) == len(exchange.rung))
            mortal_redis.stop()
            receiver.behaviour = slowly
            worker.wait_until(exchange.has_heard_all)  # what is written needs no Redis any more
            mortal_redis.start()
            exchange.ring()
            worker.wait_until(exchange.has_heard_all)
            assert worker.stop() == 0
    assert len(exchange.rung) == 4 * AT_ONCE
    ids: dict[str, set[str]] = {}
    for request in receiver.received:
        Webhook(SECRET).verify(request.body, request.headers)
        ids.setdefault(request.json["data"]["call_sid"], set()).add(request.message_id)
    assert {len(of_one) for of_one in ids.values()} == {1}
    assert len(exchange.told()) == len(set(exchange.told())) == len(exchange.rung)

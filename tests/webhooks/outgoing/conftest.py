"""A database in which somebody listens, and a courier for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import select

from models.database import Database
from models.news import News, tell
from models.webhook_delivery import WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookLane
from tests.builders import an_endpoint
from tests.services.apart import CourierApart
from webhooks.outgoing.addresses import AddressRules
from webhooks.outgoing.courier import Courier
from webhooks.outgoing.sending import Sender

LOOPBACK = AddressRules([ip_network("127.0.0.0/8")])


@dataclass
class PostOffice:
    """Endpoints, what they are to be told, and couriers whose clock can be set forward."""

    database: Database
    ahead: timedelta = timedelta(0)
    couriers: list[Courier] = field(default_factory=list)
    serial: int = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def endpoint(self, address: str, **said: Any) -> WebhookEndpoint:
        with self.database.session() as session:
            return an_endpoint(session, address=address, **said)

    def tell(
        self, endpoint: WebhookEndpoint, subject: str = "", event: str = "call.started", **data: object
    ) -> None:
        """Something has happened; news of one subject are told in their order."""
        self.serial += 1
        subject = subject or f"call {self.serial}"
        step, now = f"{self.serial:06}", self.now()
        news = News(event, subject, step, endpoint.group_id, None, now, {"serial": self.serial} | data)
        with self.database.session() as session:
            assert tell(session, [news], now) == 1

    def courier(self, worker: str = "one", timeout: float = 5.0, **said: Any) -> Courier:
        sender = Sender(LOOPBACK, "Hookswitch/test", timeout=timeout)
        courier = CourierApart(self.database, sender, worker, clock=self.now, **said)
        self.couriers.append(courier)
        return courier

    def deliveries(self) -> list[WebhookDelivery]:
        with self.database.reading() as session:
            return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))

    def attempts(self) -> list[WebhookAttempt]:
        with self.database.reading() as session:
            return list(session.scalars(select(WebhookAttempt).order_by(WebhookAttempt.id)))

    def lane(self, endpoint: WebhookEndpoint) -> WebhookLane:
        with self.database.reading() as session:
            return session.get_one(WebhookLane, endpoint.id)

    def work(self, courier: Courier, until: Callable[[], object], patience: float = 10.0) -> None:
        """Let it do rounds until something is so."""
        deadline = datetime.now(UTC) + timedelta(seconds=patience)
        while not until():
            assert datetime.now(UTC) < deadline, [
                (d.status, d.attempts, json.loads(d.body)) for d in self.deliveries()
            ]
            courier.work(0.05)

    def settle(self, courier: Courier, attempts: int) -> None:
        """Let it do rounds until so many attempts are written down in all."""
        self.work(courier, lambda: len(self.attempts()) >= attempts)


@contextmanager
def post_office(database: Database) -> Iterator[PostOffice]:
    office = PostOffice(database)
    yield office
    for courier in office.couriers:
        courier.finish(0)


@pytest.fixture
def office(postgres_database: Database) -> Iterator[PostOffice]:
    with post_office(postgres_database) as opened:
        yield opened


@pytest.fixture
def on_either(database: Database) -> Iterator[PostOffice]:
    """Once on each kind of database, for what its statements decide."""
    with post_office(database) as opened:
        yield opened

"""News: what is told to webhook endpoints, written in the transaction of what it tells of."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy.orm import Session

from models.bulk import Upsert
from models.webhook_delivery import DeliveryStatus, WebhookDelivery
from models.webhook_endpoint import Listener, listeners
from routing.numbers import PhoneNumber

VERSION = 1
"""Of the payload. Fields are added within it, never changed or removed."""

_DELIVERIES: Table = WebhookDelivery.__table__  # type: ignore[assignment]  # declared as FromClause
_KEY = ("endpoint_id", "subject", "step")
_COLUMNS = (
    *("message_id", "event", "campaign_id", "body", "status", "attempts"),
    *("due_at", "occurred_at", "created_at"),
)
_NEW = Upsert(_DELIVERIES, _KEY, _COLUMNS)


@dataclass(frozen=True, slots=True)
class News:
    """One event; (`subject`, `step`) names it for ever, so that it is told once.

    `data` holds plain values, instants and phone numbers by the names that receivers see.
    """

    event: str
    subject: str
    step: str
    group_id: int
    campaign_id: int | None
    at: datetime
    """When it happened; aware."""
    data: dict[str, Any]
    changes: tuple[str, ...] | None = None
    """Which of `data` have another value than what was told before."""

    @property
    def message_id(self) -> str:
        return message_id(self.subject, self.step)


def message_id(subject: str, step: str) -> str:
    """What a receiver knows an event by: the same whenever it is written."""
    return "msg_" + hashlib.sha256(f"{subject}\n{step}".encode("utf-8", "replace")).hexdigest()[:32]


def tell(session: Session, news: Sequence[News], now: datetime) -> int:
    """Write a delivery for everybody who listens; return how many were new.

    Whoever began to listen after something had happened does not hear of it.
    """
    if not news:
        return 0
    audience = listeners(session, {each.group_id for each in news})
    rows = [
        _row(each, listener, now)
        for each in news
        for listener in audience.get(each.group_id, ())
        if listener.wants(each.event, each.campaign_id) and listener.since <= each.at
    ]
    return _NEW.run(session.connection(), rows)


def body_of(news: News, fields: dict[str, str]) -> str:
    """What is sent: type, timestamp and data as Standard Webhooks has them, and our own beside."""
    said: dict[str, Any] = {
        "type": news.event,
        "timestamp": news.at,
        "version": VERSION,
        "data": _plain(news.data),
    }
    if news.changes is not None:
        said["changes"] = news.changes
    return msgspec.json.encode(said | {"fields": fields}).decode()


def _row(news: News, listener: Listener, now: datetime) -> tuple[Any, ...]:
    body = body_of(news, listener.fields)
    return (
        *(listener.endpoint_id, news.subject, news.step),
        *(news.message_id, news.event, news.campaign_id, body, DeliveryStatus.PENDING, 0),
        *(now, news.at, now),
    )


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    # msgspec would take a phone number apart.
    return {name: value.e164 if isinstance(value, PhoneNumber) else value for name, value in data.items()}

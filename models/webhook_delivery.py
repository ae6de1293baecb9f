"""Deliveries: what an endpoint has to be told, and every attempt to tell it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words

KEPT_FOR = timedelta(days=30)
"""How long deliveries and their attempts can be looked at and sent again."""
_AT_ONCE = 5_000


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last attempt of the schedule, or because the endpoint was removed."""


_PENDING = text("status = 'pending'")


class WebhookDelivery(Base):
    """One event for one endpoint. (`subject`, `step`) names the event, so that it is told once.

    Events of one subject are told in the order of their ids, where that is possible.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "subject", "step"),
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        Index(None, "endpoint_id", "created_at", "id"),
        Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    subject: Mapped[str]
    """Such as `call twilio CA12…`, `campaign 7`."""
    step: Mapped[str]
    """Which of the subject's events; sorts as they happened."""
    message_id: Mapped[str] = mapped_column(String(64))
    """The `webhook-id`: the same at every attempt, and at every endpoint."""
    event: Mapped[str]
    """A `WebhookEvent`, or `TEST_EVENT`."""
    campaign_id: Mapped[int | None]
    body: Mapped[str]
    """What is sent, to the byte."""
    status: Mapped[DeliveryStatus] = mapped_column(
        words(DeliveryStatus, "status"), default=DeliveryStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    """How many of the schedule are used up; sending it again begins anew."""
    due_at: Mapped[datetime]
    """When it is tried next; not before."""
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """One attempt to deliver, and what came of it."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index(None, "delivery_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    status: Mapped[int | None]
    """Of the answer; None: there was none."""
    milliseconds: Mapped[int]
    problem: Mapped[str | None]
    """Why it failed; None: it was taken."""
    answer: Mapped[str | None]
    """The first characters of the answer's body."""


def subject_of(carrier: str, call_sid: str) -> str:
    """The subject of a call's events."""
    return f"call {carrier} {call_sid}"


def forget_calls(session: Session, calls: Collection[tuple[str, str]]) -> int:
    """Forget what was, or is to be, told of calls, by carrier and CallSid: callers' numbers are in it."""
    subjects = [subject_of(*call) for call in calls]
    ids = list(session.scalars(select(WebhookDelivery.id).where(WebhookDelivery.subject.in_(subjects))))
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)))
    return len(ids)


def forget_deliveries(session: Session, before: datetime) -> int:
    """Forget some of the deliveries that are older, with their attempts; return how many."""
    old = select(WebhookDelivery.id).where(WebhookDelivery.created_at < before).limit(_AT_ONCE)
    ids = list(session.scalars(old))
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)))
    return len(ids)

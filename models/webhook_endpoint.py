"""Webhook endpoints: where customers want to be told what happens, and who listens to a group."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from models.base import Base
from models.group import Group


class WebhookEvent(StrEnum):
    """What an endpoint may ask to be told of."""

    CALL_STARTED = "call.started"
    CALL_CONNECTED = "call.connected"
    CALL_COMPLETED = "call.completed"
    CALL_RECORDED = "call.recorded"
    CALL_UPDATED = "call.updated"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_ENDED = "campaign.ended"
    NUMBER_RELEASED = "number.released"


TEST_EVENT = "webhook.test"
"""What the test button sends; nobody asks for it."""


class WebhookEndpoint(Base):
    """One address that is told of the events of a group and of all groups below it.

    While it is paused or disabled, what happens waits for it.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_for_a_time"),
        CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled_for_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    name: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    events: Mapped[Any] = mapped_column(JSON)
    """The words of `WebhookEvent` that it asked for, as a list."""
    campaign_ids: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    """Only what these campaigns are concerned in, as a list; None: all."""
    fields: Mapped[Any] = mapped_column(JSON)
    """What every payload carries besides, text by name."""
    secret: Mapped[str]
    """`whsec_` and the key in base64, as the receiver has it."""
    previous_secret: Mapped[str | None]
    """Signs beside `secret` until `previous_until`."""
    previous_until: Mapped[datetime | None]
    paused: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None]
    """When the receiver said that it is gone for good."""
    disabled_because: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - SQLAlchemy declares it as an instance attribute

    @property
    def is_open(self) -> bool:
        """Whether anything but tests is sent to it."""
        return not self.paused and self.disabled_at is None and self.archived_at is None

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """What a payload is signed with: the secret and, for a time after its rotation, the one before."""
        if self.previous_secret is None or self.previous_until is None or self.previous_until <= now:
            return (self.secret,)
        return self.secret, self.previous_secret


class WebhookLane(Base):
    """The way to one endpoint: one worker at a time is on it, so that what is sent keeps its order."""

    __tablename__ = "webhook_lanes"
    __table_args__ = (
        Index(
            None,
            "worker",
            postgresql_where=text("worker IS NOT NULL"),
            sqlite_where=text("worker IS NOT NULL"),
        ),
    )

    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    worker: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    blocked_until: Mapped[datetime | None]
    """Nothing is sent before: it did not answer, or asked for patience."""
    failures: Mapped[int] = mapped_column(default=0)
    """How many attempts failed since the last that did not."""
    failing_since: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]


def open_lane(session: Session, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Write down a new endpoint, with the way to it."""
    session.add(endpoint)
    session.flush()
    session.add(WebhookLane(endpoint_id=endpoint.id))
    session.flush()
    return endpoint


@dataclass(frozen=True, slots=True)
class Listener:
    """What an endpoint wants to hear."""

    endpoint_id: int
    since: datetime
    events: frozenset[str]
    campaign_ids: frozenset[int] | None
    fields: dict[str, str]

    def wants(self, event: str, campaign_id: int | None) -> bool:
        return event in self.events and (self.campaign_ids is None or campaign_id in self.campaign_ids)


def anybody_listens(session: Session) -> bool:
    """Whether there is any endpoint at all: the one question that calls pay for where there is none."""
    live = select(WebhookEndpoint.id).where(WebhookEndpoint.archived_at.is_(None))
    return session.connection().scalar(live.limit(1)) is not None


def listeners(session: Session, group_ids: Collection[int]) -> dict[int, list[Listener]]:
    """Who listens to these groups, their endpoints and those of the groups above; two queries."""
    climb = select(Group.id, Group.parent_id).where(Group.id.in_(group_ids)).cte("way_up", recursive=True)
    parent = aliased(Group)
    # UNION, not UNION ALL, ends even in a circle.
    climb = climb.union(select(parent.id, parent.parent_id).join(climb, parent.id == climb.c.parent_id))
    connection = session.connection()
    parents = {row.id: row.parent_id for row in connection.execute(select(climb))}
    wanted = select(
        WebhookEndpoint.group_id,
        WebhookEndpoint.id,
        WebhookEndpoint.created_at,
        WebhookEndpoint.events,
        WebhookEndpoint.campaign_ids,
        WebhookEndpoint.fields,
    ).where(WebhookEndpoint.group_id.in_(parents), WebhookEndpoint.archived_at.is_(None))
    at_group: dict[int, list[Listener]] = {}
    for group_id, endpoint_id, since, events, campaigns, said in connection.execute(wanted):
        only = None if campaigns is None else frozenset(campaigns)
        at_group.setdefault(group_id, []).append(Listener(endpoint_id, since, frozenset(events), only, said))
    return {group_id: _on_the_way_up(group_id, parents, at_group) for group_id in group_ids}


def _on_the_way_up(
    group_id: int, parents: dict[int, int | None], at_group: dict[int, list[Listener]]
) -> list[Listener]:
    found: list[Listener] = []
    above: int | None = group_id
    seen: set[int] = set()
    while above is not None and above not in seen:
        seen.add(above)
        found += at_group.get(above, ())
        above = parents.get(above)
    return found

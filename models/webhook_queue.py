"""The queue of deliveries: lanes taken by one worker at a time, what is due in them, what came of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from models.webhook_delivery import DeliveryStatus, WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import TEST_EVENT, WebhookEndpoint, WebhookLane

WAITS_FOR_EARLIER = 3
"""An event waits while an earlier one of its subject has been tried fewer times than this; then it passes."""
_DELIVERIES: Any = WebhookDelivery.__table__
_LANES: Any = WebhookLane.__table__


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that is to be tried now."""

    id: int
    subject: str
    message_id: str
    event: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Lane:
    """The way to an endpoint, which is this worker's for a while, and what is due in it."""

    endpoint_id: int
    address: str
    secrets: tuple[str, ...]
    failures: int
    due: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one attempt; `next_at` is None where there is no other."""

    endpoint_id: int
    delivery_id: int
    at: datetime
    status: int | None
    milliseconds: int
    problem: str | None
    answer: str | None
    next_at: datetime | None
    blocks_until: datetime | None
    """Until when nothing at all is sent to the endpoint."""

    @property
    def is_success(self) -> bool:
        return self.problem is None


def lanes_waiting(session: Session, now: datetime, busy: Collection[int], limit: int) -> list[int]:
    """Endpoints that nobody is at and that have something due; but not those in `busy`."""
    wanted = (
        select(WebhookLane.endpoint_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookLane.endpoint_id)
        .where(
            WebhookEndpoint.archived_at.is_(None),
            *_free(now),
            exists().where(
                WebhookDelivery.endpoint_id == WebhookLane.endpoint_id,
                *_is_due(now),
                _may_be_sent(),
                ~_waits(now),
            ),
        )
    )
    if busy:
        wanted = wanted.where(WebhookLane.endpoint_id.not_in(busy))
    # Not always the same ones first, should there be more than there is room for.
    return list(
        session.scalars(wanted.order_by(WebhookLane.leased_until, WebhookLane.endpoint_id).limit(limit))
    )


def take_lanes(
    session: Session,
    worker: str,
    endpoint_ids: Collection[int],
    now: datetime,
    *,
    until: datetime,
    depth: int,
) -> list[Lane]:
    """Take those lanes that are still free, and read the first `depth` that are due in each."""
    free = select(WebhookLane.endpoint_id).where(WebhookLane.endpoint_id.in_(endpoint_ids), *_free(now))
    taken = session.scalars(free.with_for_update(skip_locked=True)).all()
    session.execute(
        update(_LANES).where(_LANES.c.endpoint_id.in_(taken)).values(worker=worker, leased_until=until)
    )
    due = _due_by_lane(session, taken, now, depth)
    rows = session.execute(
        select(WebhookEndpoint, WebhookLane.failures)
        .join(WebhookLane, WebhookLane.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.id.in_(taken))
    )
    return [
        Lane(endpoint.id, endpoint.address, endpoint.secrets(now), failures, tuple(due.get(endpoint.id, ())))
        for endpoint, failures in rows
    ]


def keep_lanes(session: Session, worker: str, until: datetime) -> None:
    """Stay on the lanes that a worker has taken."""
    session.execute(update(_LANES).where(_LANES.c.worker == worker).values(leased_until=until))


def leave_lanes(session: Session, worker: str, endpoint_ids: Collection[int], now: datetime) -> None:
    """Give lanes back; one that somebody else has taken meanwhile stays his."""
    mine = (_LANES.c.worker == worker) & _LANES.c.endpoint_id.in_(endpoint_ids)
    session.execute(update(_LANES).where(mine).values(worker=None, leased_until=now))


def settle(session: Session, tried: Sequence[Tried]) -> None:
    """Write down what came of attempts; what is settled already stays so."""
    if not tried:
        return
    # In their order, as whoever sends them again does: the two then never wait for each other crosswise.
    in_order = sorted(tried, key=lambda each: (each.delivery_id, each.at))
    names = ("delivery_id", "at", "status", "milliseconds", "problem", "answer")
    values = [{name: getattr(each, name) for name in names} for each in in_order]
    session.execute(insert(WebhookAttempt), values)
    session.connection().execute(_SETTLED, [_settled(each) for each in in_order])
    # The last word on each lane counts, and the number of failures in a row.
    lanes: dict[int, dict[str, Any]] = {}
    for each in tried:
        lane = lanes.setdefault(each.endpoint_id, _UNTOUCHED | {"lane_id": each.endpoint_id})
        if each.is_success:
            lane |= {"succeeded_at": each.at, "more_failures": 0, "failed_at": None, "blocked": None}
        else:
            lane["more_failures"] += 1
            lane["failed_at"] = lane["failed_at"] or each.at
            lane["blocked"] = max(filter(None, (lane["blocked"], each.blocks_until)), default=None)
    session.connection().execute(_LANE_NOTED, [lanes[endpoint_id] for endpoint_id in sorted(lanes)])


def disable(session: Session, endpoint_id: int, because: str, now: datetime) -> None:
    """Send an endpoint nothing more until somebody opens it again."""
    endpoint = session.get_one(WebhookEndpoint, endpoint_id, with_for_update=True)
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_because = now, because


_UNTOUCHED = {"succeeded_at": None, "more_failures": 0, "failed_at": None, "blocked": None}
_SETTLED = (
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == bindparam("delivery"), _DELIVERIES.c.status == DeliveryStatus.PENDING)
    .values(
        status=bindparam("becomes"),
        attempts=_DELIVERIES.c.attempts + 1,
        due_at=func.coalesce(bindparam("next_at", type_=_DELIVERIES.c.due_at.type), _DELIVERIES.c.due_at),
        settled_at=bindparam("settled_at"),
    )
)
_SUCCEEDED = bindparam("succeeded_at", type_=_LANES.c.last_success_at.type)
_FAILED = bindparam("failed_at", type_=_LANES.c.last_success_at.type)
_MORE = bindparam("more_failures", type_=_LANES.c.failures.type)
_LANE_NOTED = (
    update(_LANES)
    .where(_LANES.c.endpoint_id == bindparam("lane_id"))
    .values(
        failures=case((_SUCCEEDED.is_not(None), _MORE), else_=_LANES.c.failures + _MORE),
        failing_since=case(
            (_SUCCEEDED.is_not(None), _FAILED), else_=func.coalesce(_LANES.c.failing_since, _FAILED)
        ),
        last_success_at=func.coalesce(_SUCCEEDED, _LANES.c.last_success_at),
        blocked_until=bindparam("blocked", type_=_LANES.c.blocked_until.type),
    )
)


def _settled(tried: Tried) -> dict[str, Any]:
    becomes = DeliveryStatus.DELIVERED if tried.is_success else DeliveryStatus.FAILED
    if not tried.is_success and tried.next_at is not None:
        becomes = DeliveryStatus.PENDING
    return {
        "delivery": tried.delivery_id,
        "becomes": becomes,
        "next_at": tried.next_at,
        "settled_at": None if becomes is DeliveryStatus.PENDING else tried.at,
    }


def _free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        or_(WebhookLane.worker.is_(None), WebhookLane.leased_until <= now),
        or_(WebhookLane.blocked_until.is_(None), WebhookLane.blocked_until <= now),
    )


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WebhookDelivery.status == DeliveryStatus.PENDING, WebhookDelivery.due_at <= now


def _may_be_sent() -> ColumnElement[bool]:
    """A test is sent even where everything else has to wait."""
    is_open = and_(WebhookEndpoint.paused.is_(False), WebhookEndpoint.disabled_at.is_(None))
    return or_(is_open, WebhookDelivery.event == TEST_EVENT)


def _waits(now: datetime) -> ColumnElement[bool]:
    """Whether an earlier event of the same subject is to be tried again first."""
    earlier = aliased(WebhookDelivery)
    return exists().where(
        earlier.endpoint_id == WebhookDelivery.endpoint_id,
        earlier.subject == WebhookDelivery.subject,
        earlier.id < WebhookDelivery.id,
        earlier.status == DeliveryStatus.PENDING,
        earlier.due_at > now,
        earlier.attempts < WAITS_FOR_EARLIER,
    )


def _due_by_lane(
    session: Session, endpoint_ids: Sequence[int], now: datetime, depth: int
) -> dict[int, list[Due]]:
    found: dict[int, list[Due]] = {}
    if session.get_bind().dialect.name == "postgresql":
        each = _first_due(now, depth, WebhookEndpoint.id).correlate(WebhookEndpoint).lateral("due")
        wanted = (
            select(each).select_from(WebhookEndpoint).join(each, WebhookEndpoint.id == each.c.endpoint_id)
        )
        rows = session.execute(wanted.where(WebhookEndpoint.id.in_(endpoint_ids))).all()
    else:
        # It knows no LATERAL, and has no way to go for each question.
        rows = [
            row
            for endpoint_id in endpoint_ids
            for row in session.execute(_first_due(now, depth, endpoint_id)).all()
        ]
    for endpoint_id, *values in rows:
        found.setdefault(endpoint_id, []).append(Due(*values))
    return found


def _first_due(now: datetime, depth: int, endpoint_id: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 - an id, or its column
    open_too = aliased(WebhookEndpoint)
    is_open = exists().where(
        open_too.id == WebhookDelivery.endpoint_id, open_too.paused.is_(False), open_too.disabled_at.is_(None)
    )
    return (
        select(
            WebhookDelivery.endpoint_id,
            WebhookDelivery.id,
            WebhookDelivery.subject,
            WebhookDelivery.message_id,
            WebhookDelivery.event,
            WebhookDelivery.body,
            WebhookDelivery.attempts,
        )
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            *_is_due(now),
            or_(is_open, WebhookDelivery.event == TEST_EVENT),
            ~_waits(now),
        )
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(depth)
    )


LEASE = timedelta(seconds=10)
"""A worker that has not said for so long that it is still there is dead."""

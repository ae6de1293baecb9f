"""What is told of calls: how a call stood in the log before and after something was written."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.orm import Session

from models.call import Call
from models.campaign import Campaign
from models.news import News, tell
from models.webhook_delivery import subject_of
from models.webhook_endpoint import WebhookEvent, anybody_listens

CallKey = tuple[str, str]
"""Carrier and CallSid."""

_CALLS: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause
TOLD = (
    *("id", "carrier", "call_sid", "tracking_number", "campaign_id", "campaign_external_id", "group_id"),
    *("caller", "caller_city", "caller_state", "caller_country", "decision", "reason", "destination"),
    *("started_at", "answered_at", "ended_at", "ring_seconds", "talk_seconds", "duration_seconds"),
    *("disposition", "recording_url", "recording_seconds"),
)
"""The columns of a call that its events tell, under their own names."""
_OF_RECORDING = frozenset({"recording_url", "recording_seconds"})


@contextmanager
def telling(session: Session, keys: Collection[CallKey]) -> Iterator[None]:
    """Tell, in the same transaction, what the writing within says that is new of these calls.

    Where nobody listens it costs one small question. The rows are locked in the order of their keys,
    as the writing itself does.
    """
    if not keys or not anybody_listens(session):
        yield
        return
    before = _calls(session, keys, lock=True)
    yield
    now = datetime.now(UTC)  # when it is committed, as nearly as can be known
    after = _calls(session, keys)
    names = _campaign_names(session, after.values())
    news = [
        each
        for key, call in after.items()
        if call.group_id is not None
        for each in _news(before.get(key), call, names.get(call.campaign_id), now)
    ]
    tell(session, news, now)


def _calls(session: Session, keys: Collection[CallKey], *, lock: bool = False) -> dict[CallKey, Row[Any]]:
    columns = [_CALLS.c[name] for name in TOLD]
    sids: dict[str, list[str]] = {}
    for carrier, sid in keys:
        sids.setdefault(carrier, []).append(sid)
    named = or_(*((_CALLS.c.carrier == carrier) & _CALLS.c.call_sid.in_(of) for carrier, of in sids.items()))
    wanted = select(*columns).where(named).order_by(_CALLS.c.carrier, _CALLS.c.call_sid)
    if lock:
        wanted = wanted.with_for_update()
    return {(row.carrier, row.call_sid): row for row in session.connection().execute(wanted)}


def _campaign_names(session: Session, calls: Collection[Row[Any]]) -> dict[int | None, str]:
    ids = {call.campaign_id for call in calls} - {None}
    rows = session.connection().execute(select(Campaign.id, Campaign.name).where(Campaign.id.in_(ids)))
    return {row.id: row.name for row in rows} if ids else {}


def _news(before: Row[Any] | None, after: Row[Any], campaign: str | None, now: datetime) -> Iterator[News]:
    """What has become known; steps sort in the order in which calls go."""
    if before is not None and before.group_id is None:
        before = None  # nobody could be told of it yet
    data = {**after._mapping, "campaign_name": campaign}  # noqa: SLF001 - SQLAlchemy's public name

    def news(event: WebhookEvent, step: str, at: datetime, changes: tuple[str, ...] | None = None) -> News:
        subject = subject_of(after.carrier, after.call_sid)
        return News(event, subject, step, after.group_id, after.campaign_id, at, data, changes)

    def has_become(name: str) -> bool:
        return getattr(after, name) is not None and (before is None or getattr(before, name) is None)

    if has_become("decision"):
        yield news(WebhookEvent.CALL_STARTED, "1 started", after.started_at)
    if has_become("answered_at"):
        yield news(WebhookEvent.CALL_CONNECTED, "2 connected", after.answered_at)
    if has_become("ended_at"):
        yield news(WebhookEvent.CALL_COMPLETED, "3 completed", after.ended_at)
    changed = _changed(before, after)
    if after.recording_url is not None and changed & _OF_RECORDING:
        yield news(WebhookEvent.CALL_RECORDED, f"4 recorded {after.recording_url}", now)
    others = changed - _OF_RECORDING
    if before is not None and before.ended_at is not None and others:
        in_order = tuple(name for name in TOLD if name in others)
        yield news(WebhookEvent.CALL_UPDATED, f"5 updated {now.isoformat()}", now, in_order)


def _changed(before: Row[Any] | None, after: Row[Any]) -> set[str]:
    return {name for name in TOLD if getattr(before, name, None) != getattr(after, name)}

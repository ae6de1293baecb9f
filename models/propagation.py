"""What the session does beside every write: stamps instants, counts revisions, fills the outbox.

A flush that touches a campaign or tracking number raises its revision and adds an outbox row in the
same transaction. A change that campaigns only inherit (of a plan, of the group tree, of a prompt)
raises the revisions of all campaigns it reaches and adds their rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, event, insert, inspect, literal, or_, select, text, update
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, sessionmaker
from sqlalchemy.orm.attributes import set_committed_value

from models.campaign import Campaign
from models.group import Group, heirs, refuse_cycles
from models.outbox import Outbox, Topic
from models.plan import Plan
from models.prompt import Prompt
from models.tracking_number import NumberStatus, TrackingNumber
from routing.destinations import UnfitDestination

Clock = Callable[[], datetime]

_ROUTED = (Campaign, TrackingNumber)
_WATCHED = (*_ROUTED, Plan, Group, Prompt)
_PROMPT_CONTENT = ("kind", "language", "voice", "text", "digest")
_CAMPAIGNS: Table = Campaign.__table__  # type: ignore[assignment]  # declared as FromClause
_OUTBOX: Table = Outbox.__table__  # type: ignore[assignment]
# Any number, the same in all processes.
_ADVISORY_LOCK = 7_203_114_001


class WriteRefused(RuntimeError):
    """A write that would leave the index behind; a mistake in the program."""


@dataclass(slots=True)
class _Flush:
    """What one flush is about to change."""

    now: datetime
    routed: list[Campaign | TrackingNumber] = field(default_factory=list)
    plans: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)

    @property
    def reaches_campaigns(self) -> bool:
        return bool(self.plans or self.groups or self.prompts)


def install(sessions: sessionmaker[Session], clock: Clock) -> None:
    """Make all sessions of this factory do so; `clock` answers with aware UTC."""

    def before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
        session.info[_Flush] = _prepare(session, clock())

    event.listen(sessions, "before_flush", before_flush)
    event.listen(sessions, "after_flush", _write_outbox)
    event.listen(sessions, "after_flush_postexec", _reach_campaigns)
    event.listen(sessions, "do_orm_execute", _refuse_bulk_writes)


def instant_of(session: Session) -> datetime:
    """The instant with which the flush under way stamps its rows."""
    flush: _Flush = session.info[_Flush]
    return flush.now


def _prepare(session: Session, now: datetime) -> _Flush:
    flush = _Flush(now)
    for gone in session.deleted:
        if isinstance(gone, _ROUTED):
            raise WriteRefused("campaigns are archived and numbers released, never deleted")
    for entity in session.new:
        _stamp(entity, now, "created_at", "updated_at")
        if isinstance(entity, _ROUTED):
            entity.revision = entity.revision or 1
            flush.routed.append(entity)
    for entity in session.dirty:
        if session.is_modified(entity):
            _prepare_change(entity, flush)
    _refuse_own_numbers(session, flush)
    _lock(session, flush)
    refuse_cycles(session, [e for e in session.dirty if isinstance(e, Group) and _changed(e, "parent_id")])
    return flush


def _refuse_own_numbers(session: Session, flush: _Flush) -> None:
    """A destination that is a tracking number of ours would send the call round in a circle."""
    destinations = {
        entity.destination
        for entity in flush.routed
        if entity.destination is not None and _changed(entity, "destination")
    }
    if not destinations:
        return
    held = select(TrackingNumber.id).where(
        TrackingNumber.number.in_(destinations), TrackingNumber.status == NumberStatus.ACTIVE
    )
    own = {entity.number for entity in flush.routed if isinstance(entity, TrackingNumber)}
    with session.no_autoflush:
        if own & destinations or session.scalar(held.limit(1)) is not None:
            raise UnfitDestination("the destination is a tracking number of ours; name the business's number")


def _prepare_change(entity: object, flush: _Flush) -> None:
    match entity:
        case Campaign() | TrackingNumber():
            entity.updated_at = flush.now
            entity.revision += 1
            flush.routed.append(entity)
        case Plan() if _changed(entity, "includes_referral"):
            flush.plans.append(entity.id)
        case Group() if _changed(entity, "plan_id", "parent_id"):
            flush.groups.append(entity.id)
        case Prompt() if _changed(entity, *_PROMPT_CONTENT):
            flush.prompts.append(entity.id)


def _stamp(entity: object, now: datetime, *columns: str) -> None:
    for column in columns:
        if getattr(entity, column, now) is None:
            setattr(entity, column, now)


def _changed(entity: object, *attributes: str) -> bool:
    state = inspect(entity)
    return any(state.attrs[name].history.has_changes() for name in attributes)


def _lock(session: Session, flush: _Flush) -> None:
    """Keep a plan's change and a campaign's arrival in its group from passing each other unseen.

    Neither would see the other's uncommitted rows, and the campaign would keep the old plan in the
    index. SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    if flush.reaches_campaigns:
        lock = "pg_advisory_xact_lock"
    elif any(isinstance(e, Campaign) and _changed(e, "group_id", "prompt_id") for e in flush.routed):
        lock = "pg_advisory_xact_lock_shared"
    else:
        return
    session.connection().execute(text(f"SELECT {lock}(:key)"), {"key": _ADVISORY_LOCK})


def _write_outbox(session: Session, _context: UOWTransaction) -> None:
    flush: _Flush = session.info[_Flush]
    rows = [
        {
            "topic": Topic.CAMPAIGN if isinstance(entity, Campaign) else Topic.TRACKING_NUMBER,
            "entity_id": entity.id,
            "revision": entity.revision,
            "created_at": flush.now,
        }
        for entity in flush.routed
    ]
    if rows:
        session.connection().execute(insert(_OUTBOX), rows)


def _reach_campaigns(session: Session, _context: UOWTransaction) -> None:
    flush: _Flush = session.info.pop(_Flush)
    if not flush.reaches_campaigns:
        return
    connection = session.connection()
    reached = or_(*_reached(flush))
    connection.execute(update(_CAMPAIGNS).where(reached).values(revision=_CAMPAIGNS.c.revision + 1))
    rows = select(
        literal(Topic.CAMPAIGN, _OUTBOX.c.topic.type),
        _CAMPAIGNS.c.id,
        _CAMPAIGNS.c.revision,
        literal(flush.now, _OUTBOX.c.created_at.type),
    ).where(reached)
    connection.execute(insert(_OUTBOX).from_select(["topic", "entity_id", "revision", "created_at"], rows))
    _tell_loaded_campaigns(session)


def _reached(flush: _Flush) -> Iterator[ColumnElement[bool]]:
    if flush.plans or flush.groups:
        changed = select(Group.id).where(or_(Group.plan_id.in_(flush.plans), Group.id.in_(flush.groups)))
        yield _CAMPAIGNS.c.group_id.in_(heirs(changed))
    if flush.prompts:
        yield _CAMPAIGNS.c.prompt_id.in_(flush.prompts)


def _tell_loaded_campaigns(session: Session) -> None:
    """Let campaigns in this session go on from the revision that was just written.

    One that somebody else changed meanwhile keeps its old revision, and with it the StaleDataError.
    """
    loaded = {entity.id: entity for entity in session.identity_map.values() if isinstance(entity, Campaign)}
    if not loaded:
        return
    revisions = select(_CAMPAIGNS.c.id, _CAMPAIGNS.c.revision).where(_CAMPAIGNS.c.id.in_(loaded))
    for campaign_id, revision in session.connection().execute(revisions):
        campaign: Any = loaded[campaign_id]
        if campaign.__dict__.get("revision") == revision - 1:
            set_committed_value(campaign, "revision", revision)


def _refuse_bulk_writes(state: ORMExecuteState) -> None:
    """Statements that write past the session would also write past the outbox."""
    writes = state.is_insert or state.is_update or state.is_delete
    mapper = state.bind_mapper
    if writes and mapper is not None and issubclass(mapper.class_, _WATCHED):
        raise WriteRefused(f"{mapper.class_.__name__} rows are written through the session, one by one")

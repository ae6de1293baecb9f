"""What the session does beside every write: stamps instants, counts revisions, fills the outbox.

A flush that touches a campaign, tracking number or block raises its revision and adds an outbox row
in the same transaction. A change that others only inherit (of a plan, of the group tree and what it
says, of a prompt) raises the revisions of all campaigns and numbers it reaches and adds their rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, event, insert, inspect, literal, or_, select, text, update
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, sessionmaker
from sqlalchemy.orm.attributes import set_committed_value

from models.blocked_caller import BlockedCaller
from models.campaign import Campaign
from models.destinations import refuse_unfit_destinations
from models.group import Group, heirs, refuse_cycles, subtree
from models.outbox import Outbox, Topic
from models.plan import Plan
from models.prompt import Prompt
from models.tracking_number import TrackingNumber

Clock = Callable[[], datetime]

_Routed = Campaign | TrackingNumber | BlockedCaller
_TOPICS: dict[type[_Routed], Topic] = {
    Campaign: Topic.CAMPAIGN,
    TrackingNumber: Topic.TRACKING_NUMBER,
    BlockedCaller: Topic.BLOCKED_CALLER,
}
_ROUTED = (Campaign, TrackingNumber, BlockedCaller)
_WATCHED = (*_ROUTED, Plan, Group, Prompt)
_PROMPT_CONTENT = ("kind", "language", "voice", "text", "digest")
_OUTBOX: Table = Outbox.__table__  # type: ignore[assignment]  # declared as FromClause
# Any number, the same in all processes.
_ADVISORY_LOCK = 7_203_114_001


class WriteRefused(RuntimeError):
    """A write that would leave the index behind; a mistake in the program."""


@dataclass(slots=True)
class _Flush:
    """What one flush is about to change."""

    now: datetime
    routed: list[_Routed] = field(default_factory=list)
    plans: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    """Those that have another plan."""
    subtrees: list[int] = field(default_factory=list)
    """Those that stand elsewhere or say something else to all below them."""
    prompts: list[int] = field(default_factory=list)

    @property
    def reaches_others(self) -> bool:
        return bool(self.plans or self.groups or self.subtrees or self.prompts)


def install(sessions: sessionmaker[Session], clock: Clock) -> None:
    """Make all sessions of this factory do so; `clock` answers with aware UTC."""

    def before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
        session.info[_Flush] = _prepare(session, clock())

    event.listen(sessions, "before_flush", before_flush)
    event.listen(sessions, "after_flush", _write_outbox)
    event.listen(sessions, "after_flush_postexec", _reach_others)
    event.listen(sessions, "do_orm_execute", _refuse_bulk_writes)


def instant_of(session: Session) -> datetime:
    """The instant with which the flush under way stamps its rows."""
    flush: _Flush = session.info[_Flush]
    return flush.now


def _prepare(session: Session, now: datetime) -> _Flush:
    flush = _Flush(now)
    for gone in session.deleted:
        if isinstance(gone, _ROUTED):
            raise WriteRefused("campaigns are archived, numbers released and blocks lifted, never deleted")
    for entity in session.new:
        _stamp(entity, now, "created_at", "updated_at")
        if isinstance(entity, _ROUTED):
            entity.revision = entity.revision or 1
            flush.routed.append(entity)
    for entity in session.dirty:
        if session.is_modified(entity):
            _prepare_change(entity, flush)
    refuse_unfit_destinations(session, [e for e in flush.routed if not isinstance(e, BlockedCaller)])
    _lock(session, flush)
    refuse_cycles(session, [e for e in session.dirty if isinstance(e, Group) and _changed(e, "parent_id")])
    return flush


def _prepare_change(entity: object, flush: _Flush) -> None:
    match entity:
        case Campaign() | TrackingNumber() | BlockedCaller():
            entity.updated_at = flush.now
            entity.revision += 1
            flush.routed.append(entity)
        case Plan() if _changed(entity, "includes_referral"):
            flush.plans.append(entity.id)
        case Group() if _changed(entity, "parent_id", "countries", "talk_limit"):
            flush.subtrees.append(entity.id)
        case Group() if _changed(entity, "plan_id"):
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
    if flush.reaches_others:
        lock = "pg_advisory_xact_lock"
    elif any(_inherits_anew(entity) for entity in flush.routed):
        lock = "pg_advisory_xact_lock_shared"
    else:
        return
    session.connection().execute(text(f"SELECT {lock}(:key)"), {"key": _ADVISORY_LOCK})


def _inherits_anew(entity: _Routed) -> bool:
    match entity:
        case Campaign():
            return _changed(entity, "group_id", "prompt_id")
        case TrackingNumber():
            return _changed(entity, "group_id", "campaign_id")
        case BlockedCaller():
            return False


def _write_outbox(session: Session, _context: UOWTransaction) -> None:
    flush: _Flush = session.info[_Flush]
    rows = [
        {
            "topic": _TOPICS[type(entity)],
            "entity_id": entity.id,
            "revision": entity.revision,
            "created_at": flush.now,
        }
        for entity in flush.routed
    ]
    if rows:
        session.connection().execute(insert(_OUTBOX), rows)


def _reach_others(session: Session, _context: UOWTransaction) -> None:
    flush: _Flush = session.info.pop(_Flush)
    if not flush.reaches_others:
        return
    _raise_revisions(session, Campaign, or_(*_reached(flush)), flush.now)
    if flush.subtrees:
        # A number on a campaign has all that from its campaign.
        alone = and_(
            TrackingNumber.campaign_id.is_(None), TrackingNumber.group_id.in_(subtree(*flush.subtrees))
        )
        _raise_revisions(session, TrackingNumber, alone, flush.now)


def _reached(flush: _Flush) -> Iterator[ColumnElement[bool]]:
    """Which campaigns have something from what has changed."""
    if flush.plans or flush.groups:
        changed = select(Group.id).where(or_(Group.plan_id.in_(flush.plans), Group.id.in_(flush.groups)))
        yield Campaign.group_id.in_(heirs(changed))
    if flush.subtrees:
        yield Campaign.group_id.in_(subtree(*flush.subtrees))
    if flush.prompts:
        yield Campaign.prompt_id.in_(flush.prompts)


def _raise_revisions(
    session: Session, kind: type[Campaign | TrackingNumber], reached: ColumnElement[bool], now: datetime
) -> None:
    connection = session.connection()
    table: Any = kind.__table__
    connection.execute(update(table).where(reached).values(revision=table.c.revision + 1))
    rows = select(
        literal(_TOPICS[kind], _OUTBOX.c.topic.type),
        table.c.id,
        table.c.revision,
        literal(now, _OUTBOX.c.created_at.type),
    ).where(reached)
    connection.execute(insert(_OUTBOX).from_select(["topic", "entity_id", "revision", "created_at"], rows))
    _tell_loaded(session, kind, table)


def _tell_loaded(session: Session, kind: type[Campaign | TrackingNumber], table: Any) -> None:  # noqa: ANN401 - a table
    """Let rows in this session go on from the revision that was just written.

    One that somebody else changed meanwhile keeps its old revision, and with it the StaleDataError.
    """
    loaded: dict[int, Any] = {e.id: e for e in session.identity_map.values() if isinstance(e, kind)}
    if not loaded:
        return
    revisions = select(table.c.id, table.c.revision).where(table.c.id.in_(loaded))
    for row_id, revision in session.connection().execute(revisions):
        entity = loaded[row_id]
        if entity.__dict__.get("revision") == revision - 1:
            set_committed_value(entity, "revision", revision)


def _refuse_bulk_writes(state: ORMExecuteState) -> None:
    """Statements that write past the session would also write past the outbox."""
    writes = state.is_insert or state.is_update or state.is_delete
    mapper = state.bind_mapper
    if writes and mapper is not None and issubclass(mapper.class_, _WATCHED):
        raise WriteRefused(f"{mapper.class_.__name__} rows are written through the session, one by one")

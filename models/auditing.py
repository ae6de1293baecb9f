"""What the session writes into the audit trail beside every change, so that no writer can forget it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, event, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction, sessionmaker

from models.api_token import ApiToken
from models.audit import AuditEntry, Via
from models.base import Base
from models.blocked_caller import BlockedCaller
from models.campaign import Campaign
from models.group import Group
from models.plan import Plan
from models.prompt import Prompt
from models.propagation import instant_of
from models.tracking_number import TrackingNumber
from models.user import User
from models.webhook_endpoint import WebhookEndpoint
from routing.blocks import CallerPattern
from routing.numbers import PhoneNumber

_AUDITED: dict[type[Base], str] = {
    ApiToken: "api_token",
    BlockedCaller: "blocked_caller",
    Campaign: "campaign",
    Group: "group",
    Plan: "plan",
    Prompt: "prompt",
    TrackingNumber: "tracking_number",
    User: "user",
    WebhookEndpoint: "webhook_endpoint",
}
_NAMELESS = frozenset({"revision", "created_at", "updated_at", "last_used_at", "totp_last_step"})
"""Columns that change with every write, or with every use, and tell nothing."""
_SECRET = frozenset({"password_hash", "totp_secret", "token_hash", "secret", "previous_secret", "fields"})
_ENTRIES: Table = AuditEntry.__table__  # type: ignore[assignment]  # declared as FromClause


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes the changes of a session."""

    user_id: int | None = None
    via: Via = Via.SYSTEM


SYSTEM = Author()


@dataclass(slots=True)
class _Pending:
    """What one flush is about to change; ids of what is new are known only after it."""

    created: list[Base] = field(default_factory=list)
    changed: list[tuple[Base, str, str | None, str | None]] = field(default_factory=list)


def install(sessions: sessionmaker[Session]) -> None:
    """Make all sessions of this factory do so, after `propagation`; `session.info` names the author."""
    event.listen(sessions, "before_flush", _gather)
    event.listen(sessions, "after_flush", _write)


def _gather(session: Session, _context: UOWTransaction, _instances: object) -> None:
    pending = _Pending([entity for entity in session.new if type(entity) in _AUDITED])
    for entity in session.dirty:
        if type(entity) in _AUDITED:
            pending.changed += [(entity, *change) for change in _changes(entity)]
    session.info[_Pending] = pending


def _changes(entity: Base) -> Iterator[tuple[str, str | None, str | None]]:
    state = inspect(entity)
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        if column.key in _NAMELESS or not history.has_changes():
            continue
        old, new = _only(history.deleted), _only(history.added)
        if column.key in _SECRET:
            yield column.key, None, "changed" if new is not None else "removed"
        elif _spelled(old) != _spelled(new):
            yield column.key, _spelled(old), _spelled(new)


def _write(session: Session, _context: UOWTransaction) -> None:
    pending: _Pending = session.info.pop(_Pending)
    author: Author = session.info.get(Author, SYSTEM)
    changes = [(entity, "created", None, _name_of(entity)) for entity in pending.created] + pending.changed
    if changes:
        stamp = {"at": instant_of(session), "user_id": author.user_id, "via": author.via}
        rows = [stamp | {"group_id": _group_of(session, change[0])} | _row(*change) for change in changes]
        session.connection().execute(insert(_ENTRIES), rows)


def _group_of(session: Session, entity: Base) -> int | None:
    """Whose subtree may see what happened to it."""
    match entity:
        case Group():
            return entity.id
        case ApiToken():
            owner = select(User.group_id).where(User.id == entity.user_id)
            return session.connection().scalar(owner)
        case _:
            return getattr(entity, "group_id", None)


def _row(entity: Base, changed: str, old: str | None, new: str | None) -> dict[str, Any]:
    subject: Any = entity
    return {
        "entity": _AUDITED[type(entity)],
        "entity_id": subject.id,
        "field": changed,
        "old": old,
        "new": new,
    }


def _name_of(entity: Base) -> str | None:
    if isinstance(entity, BlockedCaller):
        return str(CallerPattern(entity.pattern))  # a caller's whole number is masked
    return _spelled(getattr(entity, "number", None) or getattr(entity, "name", None))


def _only(values: Any) -> object:  # noqa: ANN401 - a history's tuple, or nothing
    return values[0] if values else None


def _spelled(value: object) -> str | None:
    match value:
        case None:
            return None
        case PhoneNumber():
            return value.e164
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case bool():
            return "yes" if value else "no"
        case StrEnum():
            return value.value
        case _:
            return str(value)

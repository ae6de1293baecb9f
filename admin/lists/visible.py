"""Which groups a list may show: those of the actor's subtree, or fewer where a filter names a group."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, SQLColumnExpression, any_, literal, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.lists.listing import dialect_of
from models.group import Group


@dataclass(frozen=True, slots=True)
class Visible:
    """The ids of groups; `everything`: they are all there are, and what belongs to none is visible too."""

    ids: frozenset[int]
    everything: bool
    dialect: str

    @property
    def scope(self) -> frozenset[int] | None:
        """The groups whose calls a report counts; None: all calls there are."""
        return None if self.everything else self.ids

    def among(self, group_id: SQLColumnExpression[Any]) -> list[ColumnElement[bool]]:
        """The conditions under which a row that belongs to `group_id` is visible."""
        if self.everything:
            return []
        ids = sorted(self.ids)
        if self.dialect == "postgresql":
            # One parameter however many groups.
            return [group_id == any_(literal(ids, ARRAY(BigInteger)))]
        return [group_id.in_(ids)]


def visible(
    session: Session, actor: Actor, group_id: int | None = None, *, subgroups: bool = True
) -> Visible:
    """The actor's subtree, or of it the part below `group_id`; of a group he does not see, nothing."""
    rows = session.execute(select(Group.id, Group.parent_id).where(Group.id.in_(actor.visible_groups())))
    parents = {row.id: row.parent_id for row in rows}
    if group_id is None:
        return Visible(frozenset(parents), _is_all(session, actor, parents), dialect_of(session))
    if group_id not in parents:
        return Visible(frozenset(), everything=False, dialect=dialect_of(session))
    ids = _below(group_id, parents) if subgroups else {group_id}
    return Visible(frozenset(ids), everything=False, dialect=dialect_of(session))


def _is_all(session: Session, actor: Actor, parents: dict[int, int | None]) -> bool:
    if parents.get(actor.group_id) is not None:
        return False
    elsewhere = select(Group.id).where(Group.parent_id.is_(None), Group.id != actor.group_id)
    return session.scalar(elsewhere.limit(1)) is None


def _below(top: int, parents: dict[int, int | None]) -> set[int]:
    children: dict[int | None, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    left = [top]
    while left:
        group_id = left.pop()
        if group_id not in found:
            found.add(group_id)
            left += children.get(group_id, [])
    return found

"""Callers' numbers that a standard user sees only in part, where his group wants it so."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.lists.visible import visible
from admin.views import MaskedCaller
from models.call import Call
from models.group import Group
from models.inheritance import in_force
from routing.numbers import PhoneNumber, mask

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[1-9][0-9]{6,14}(?![0-9A-Za-z])")
"""Not in the middle of an id."""


@dataclass(frozen=True, slots=True)
class Masking:
    """The groups whose callers are masked for somebody; None among them stands for calls of no group."""

    group_ids: frozenset[int | None]

    def caller(self, number: PhoneNumber | None, group_id: int | None) -> PhoneNumber | MaskedCaller | None:
        if number is None or group_id not in self.group_ids:
            return number
        return MaskedCaller(number.masked)

    def fields(self, raw: object, group_id: int | None, known: set[str]) -> dict[str, Any]:
        """What a carrier sent, with all numbers masked but those `known` (E.164) to be no caller's."""
        if not isinstance(raw, dict):
            return {}
        if group_id not in self.group_ids:
            return raw
        return {name: _masked(value, known) for name, value in raw.items()}

    def may_be_found(self) -> list[ColumnElement[bool]]:
        """The conditions under which a call may be found by its caller: else asking would tell."""
        if not self.group_ids:
            return []
        of_none = Call.group_id.is_(None) if None in self.group_ids else false()
        return [~or_(Call.group_id.in_(self.group_ids - {None}), of_none)]


def masking(session: Session, actor: Actor) -> Masking:
    """What this actor does not see in full; an admin sees everything of his subtree."""
    anywhere = select(Group.id).where(Group.mask_callers.is_(True)).limit(1)
    if actor.is_admin or session.scalar(anywhere) is None:
        return Masking(frozenset())
    held = in_force(session, visible(session, actor).ids)
    masked: set[int | None] = {group_id for group_id, own in held.items() if own.mask_callers}
    # A call of no group is seen by who sees everything: as his own group says.
    return Masking(frozenset(masked | {None}) if actor.group_id in masked else frozenset(masked))


def _masked(value: object, known: set[str]) -> object:
    if not isinstance(value, str):
        return value
    return _NUMBER.sub(lambda found: _unless_known(found[0], known), value)


def _unless_known(text: str, known: set[str]) -> str:
    return text if f"+{text.removeprefix('+')}" in known else mask(text)

"""What a group has from the groups above it, and from which."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from models.group import Group
from models.plan import Plan
from routing.numbers import PhoneNumber
from routing.route import CallerId

INHERITED = (
    "plan_id",
    "countries",
    "talk_limit",
    "time_zone",
    "default_destination",
    "default_whisper",
    "default_ring_timeout",
    "default_record_calls",
    "default_caller_id",
    "mask_callers",
    "keep_callers_days",
)
"""The columns that a group may leave to its parent."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value in force and the group that says so; None and None: nobody does."""

    value: Any
    group_id: int | None


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings of one group, each its own or that of the nearest group above that has one."""

    group_id: int
    settings: dict[str, Setting]

    def value(self, name: str) -> Any:  # noqa: ANN401 - as the column is typed
        return self.settings[name].value

    @property
    def time_zone(self) -> str:
        return self.value("time_zone") or "UTC"

    @property
    def destination(self) -> PhoneNumber | None:
        number: PhoneNumber | None = self.value("default_destination")
        return number

    @property
    def record_calls(self) -> bool:
        return bool(self.value("default_record_calls"))

    @property
    def mask_callers(self) -> bool:
        return bool(self.value("mask_callers"))

    @property
    def caller_id(self) -> CallerId:
        return self.value("default_caller_id") or CallerId.CALLER


def in_force(session: Session, group_ids: Collection[int]) -> dict[int, InForce]:
    """What holds in these groups, by id; one query."""
    columns = [getattr(Group, name) for name in INHERITED]
    way = select(Group.id, Group.parent_id, *columns).where(Group.id.in_(group_ids))
    climb = way.cte("way_up", recursive=True)
    parent = aliased(Group)
    above = select(parent.id, parent.parent_id, *(getattr(parent, name) for name in INHERITED))
    # UNION, not UNION ALL, ends even in a circle.
    climb = climb.union(above.join(climb, parent.id == climb.c.parent_id))
    rows = {row.id: row for row in session.execute(select(climb))}
    return {
        group_id: InForce(group_id, _nearest(rows, group_id)) for group_id in group_ids if group_id in rows
    }


def _nearest(rows: dict[int, Any], group_id: int) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    above: int | None = group_id
    seen: set[int] = set()
    while above is not None and above not in seen and above in rows:
        seen.add(above)
        for name in INHERITED:
            value = getattr(rows[above], name)
            if name not in found and value is not None:
                found[name] = Setting(value, above)
        above = rows[above].parent_id
    return {name: found.get(name, Setting(None, None)) for name in INHERITED}


def including_referral(session: Session, group_ids: Collection[int]) -> set[int]:
    """Which of these groups have a plan, their own or inherited, that includes the referral prompt."""
    plans = {group_id: held.value("plan_id") for group_id, held in in_force(session, group_ids).items()}
    wanted = set(plans.values()) - {None}
    if not wanted:
        return set()
    including = set(session.scalars(select(Plan.id).where(Plan.id.in_(wanted), Plan.includes_referral)))
    return {group_id for group_id, plan_id in plans.items() if plan_id in including}

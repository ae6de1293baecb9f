"""What a group has by its place in the tree: the groups above it, and what it inherits from them."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, cast, false, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from models.group import Group
from models.plan import Plan

_HIGHEST = 64
"""Levels of the tree that are climbed: even a circle comes to an end."""


def standing_of(groups: Select[int]) -> CTE:
    """What each of `groups` has by its place in the tree: the groups above it, and what it inherits."""
    climb = (
        select(
            Group.id.label("group_id"),
            Group.parent_id,
            cast(literal(""), Text).label("above"),
            Group.plan_id,
            Group.countries,
            Group.talk_limit,
            literal(0).label("height"),
        )
        .where(Group.id.in_(groups))
        .cte("climb", recursive=True)
    )
    parent = aliased(Group)
    further = select(
        climb.c.group_id,
        parent.parent_id,
        climb.c.above.concat(" ").concat(cast(parent.id, Text)),
        func.coalesce(climb.c.plan_id, parent.plan_id),
        func.coalesce(climb.c.countries, parent.countries),
        func.coalesce(climb.c.talk_limit, parent.talk_limit),
        climb.c.height + 1,
    ).join(parent, parent.id == climb.c.parent_id)
    climb = climb.union_all(further.where(climb.c.height < _HIGHEST))
    return (
        select(
            climb.c.group_id,
            func.coalesce(Plan.includes_referral, false()).label("includes_referral"),
            climb.c.above,
            climb.c.countries,
            climb.c.talk_limit,
        )
        .outerjoin(Plan, Plan.id == climb.c.plan_id)
        .where(or_(climb.c.parent_id.is_(None), climb.c.height == _HIGHEST))
        .cte("standing")
    )


def inherited(standing: CTE) -> tuple[ColumnElement[Any], ...]:
    """Whether the plan includes referral, the groups above (see `ids_in`), countries and talk limit."""
    return standing.c.includes_referral, standing.c.above, standing.c.countries, standing.c.talk_limit


def ids_in(above: str | None) -> tuple[int, ...]:
    """The groups above, from the nearest to the root."""
    return tuple(map(int, above.split())) if above else ()

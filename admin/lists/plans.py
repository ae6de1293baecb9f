"""The list of plans."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Line, Reading
from admin.errors import NotThere
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    in_order,
    read_page,
)
from admin.lists.words import words_condition
from admin.plans import require_seeing
from admin.views import Page, PlanView
from models.group import Group
from models.plan import Plan


class PlanFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    sort: Literal["name", "-name"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[PlanView]:  # noqa: ARG001
    """The plans that `raw` (a `PlanFilters`) asks for; raise `Invalid`, `NotAllowed`."""
    require_seeing(session, actor)
    reading = Reading()
    filters = reading.read(PlanFilters, raw)
    reading.finish()
    conditions = [words_condition(session, Plan.id, [Plan.name], filters.q)] if filters.q else []
    listing = Listing(Plan.id, {"name": Key(alphabetical(session, Plan.name), str)}, conditions)
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def one(session: Session, actor: Actor, plan_id: int, now: datetime) -> PlanView:  # noqa: ARG001
    """Raise `NotThere`, `NotAllowed`."""
    require_seeing(session, actor)
    shown = views(session, [plan_id])
    if not shown:
        raise NotThere("there is no such plan")
    return shown[0]


def views(session: Session, ids: Sequence[int]) -> list[PlanView]:
    """What is shown of plans, in the order of `ids`; one query, however many they are."""
    rows = session.execute(
        select(Plan, func.count(Group.id))
        .outerjoin(Group, Group.plan_id == Plan.id)
        .where(Plan.id.in_(ids))
        .group_by(Plan.id)
    )
    by_id = {
        plan.id: PlanView(id=plan.id, name=plan.name, includes_referral=plan.includes_referral, groups=groups)
        for plan, groups in rows
    }
    return in_order(ids, by_id)

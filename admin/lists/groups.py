"""The list of groups."""

from collections.abc import Sequence
from datetime import datetime
from operator import eq
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, visible_group
from admin.drafts import Id, Line, Reading
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    compared,
    in_order,
    or_blank,
    read_page,
)
from admin.lists.visible import Visible, visible
from admin.lists.words import words_condition
from admin.views import GroupView, InForce, Inherited, Page
from models import inheritance
from models.campaign import Campaign
from models.group import Group
from models.plan import Plan


class GroupFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name or external ID")] = None
    external_id: Annotated[Line | None, Field(description="exactly this external ID")] = None
    parent_id: Annotated[Id | None, Field(description="directly below this group")] = None
    plan_id: Annotated[Id | None, Field(description="has this plan as its own")] = None
    archived: bool = False
    sort: Literal["name", "-name", "external_id", "-external_id"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[GroupView]:  # noqa: ARG001
    """The groups that `raw` (a `GroupFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(GroupFilters, raw)
    reading.finish()
    seen = visible(session, actor)
    listing = Listing(
        Group.id,
        {
            "name": Key(alphabetical(session, Group.name), str),
            "external_id": Key(alphabetical(session, or_blank(Group.external_id)), str),
        },
        [*seen.among(Group.id), *_conditions(session, filters)],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids, seen))


def one(session: Session, actor: Actor, group_id: int, now: datetime) -> GroupView:  # noqa: ARG001
    """Raise `NotThere`."""
    visible_group(session, actor, group_id)
    return views(session, [group_id], visible(session, actor))[0]


def views(session: Session, ids: Sequence[int], seen: Visible) -> list[GroupView]:
    """What is shown of groups, in the order of `ids`; four queries, however many they are."""
    groups = session.scalars(select(Group).where(Group.id.in_(ids))).all()
    held = inheritance.in_force(session, ids)
    plan_ids = {own.value("plan_id") for own in held.values()} - {None}
    plans = {plan.id: plan for plan in session.scalars(select(Plan).where(Plan.id.in_(plan_ids)))}
    used = (
        select(Campaign.group_id, func.count())
        .where(Campaign.group_id.in_(ids), Campaign.archived_at.is_(None))
        .group_by(Campaign.group_id)
    )
    campaigns = {row[0]: row[1] for row in session.execute(used)}
    by_id = {
        group.id: GroupView.model_construct(
            **{name: getattr(group, name) for name in _STORED},
            countries=_codes(group.countries),
            campaigns=campaigns.get(group.id, 0),
            in_force=_in_force(held[group.id], plans, seen),
        )
        for group in groups
    }
    return in_order(ids, by_id)


_STORED = tuple(
    name for name in GroupView.model_fields if name in Group.__table__.columns and name != "countries"
)


def _codes(countries: str | None) -> list[str] | None:
    return None if countries is None else countries.split(",")


def _in_force(own: inheritance.InForce, plans: dict[int, Plan], seen: Visible) -> InForce:
    def inherited(name: str, value: Any = None) -> Inherited[Any]:  # noqa: ANN401 - as the setting is typed
        setting = own.settings[name]
        whose = setting.group_id if setting.group_id in seen.ids else None
        return Inherited.model_construct(value=setting.value if value is None else value, from_group_id=whose)

    plan = plans.get(own.value("plan_id"))
    return InForce.model_construct(
        plan=inherited("plan_id"),
        plan_name=None if plan is None else plan.name,
        includes_referral=plan is not None and plan.includes_referral,
        countries=inherited("countries", _codes(own.value("countries"))),
        talk_limit=inherited("talk_limit"),
        time_zone=inherited("time_zone", own.time_zone),
        default_destination=inherited("default_destination"),
        default_whisper=inherited("default_whisper"),
        default_ring_timeout=inherited("default_ring_timeout"),
        default_record_calls=inherited("default_record_calls", own.record_calls),
        default_caller_id=inherited("default_caller_id", own.caller_id),
        mask_callers=inherited("mask_callers", own.mask_callers),
        keep_callers_days=inherited("keep_callers_days"),
    )


def _conditions(session: Session, filters: GroupFilters) -> list[ColumnElement[bool]]:
    archived = Group.archived_at.is_not(None)
    found: list[ColumnElement[bool]] = [archived if filters.archived else ~archived]
    if filters.q:
        found.append(words_condition(session, Group.id, [Group.name, Group.external_id], filters.q))
    return found + compared(
        (Group.external_id, eq, filters.external_id),
        (Group.parent_id, eq, filters.parent_id),
        (Group.plan_id, eq, filters.plan_id),
    )

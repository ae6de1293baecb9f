"""The audit trail as a list, the latest first."""

from collections.abc import Sequence
from datetime import datetime
from operator import eq, ge, lt
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Reading
from admin.lists.listing import Filters, Key, Listing, compared, in_order, read_page
from admin.lists.visible import visible
from admin.views import AuditView, Page
from models.audit import AuditEntry, Via
from models.user import User

_OF_EVERYBODY = ("campaign", "tracking_number", "group", "prompt", "blocked_caller")
Entity = Literal[
    "campaign",
    "tracking_number",
    "group",
    "prompt",
    "blocked_caller",
    "plan",
    "user",
    "api_token",
    "webhook_endpoint",
    "caller",
]


class AuditFilters(Filters):
    entity: Entity | None = None
    entity_id: Id | None = None
    user_id: Annotated[Id | None, Field(description="who changed it")] = None
    via: Via | None = None
    at_from: Instant | None = None
    at_before: Instant | None = None
    sort: Literal["at", "-at"] = "-at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[AuditView]:  # noqa: ARG001
    """The entries that `raw` (an `AuditFilters`) asks for; raise `Invalid`.

    Who is no admin sees what happened to campaigns, numbers, groups, prompts and block lists of his
    subtree.
    """
    reading = Reading()
    filters = reading.read(AuditFilters, raw)
    reading.finish()
    conditions = [*visible(session, actor).among(AuditEntry.group_id), *_conditions(filters)]
    if not actor.is_admin:
        conditions.append(AuditEntry.entity.in_(_OF_EVERYBODY))
    listing = Listing(AuditEntry.id, {"at": Key(AuditEntry.at, datetime)}, conditions)
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def views(session: Session, ids: Sequence[int]) -> list[AuditView]:
    """What is shown of entries, in the order of `ids`; one query, however many they are."""
    columns = [getattr(AuditEntry, name) for name in AuditView.model_fields if name != "user_name"]
    rows = session.execute(
        select(*columns, User.name.label("user_name"))
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.id.in_(ids))
    ).mappings()
    return in_order(ids, {row["id"]: AuditView.model_construct(**row) for row in rows})


def _conditions(filters: AuditFilters) -> list[ColumnElement[bool]]:
    return compared(
        (AuditEntry.entity, eq, filters.entity),
        (AuditEntry.entity_id, eq, filters.entity_id),
        (AuditEntry.user_id, eq, filters.user_id),
        (AuditEntry.via, eq, filters.via),
        (AuditEntry.at, ge, filters.at_from),
        (AuditEntry.at, lt, filters.at_before),
    )

"""The audit trail as a list, the latest first."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant
from admin.lists.listing import Filters
from admin.views import AuditView, Page
from models.audit import Via

Entity = Literal["campaign", "tracking_number", "group", "prompt", "plan", "user", "api_token"]


class AuditFilters(Filters):
    entity: Entity | None = None
    entity_id: Id | None = None
    user_id: Annotated[Id | None, Field(description="who changed it")] = None
    via: Via | None = None
    at_from: Instant | None = None
    at_before: Instant | None = None
    sort: Literal["at", "-at"] = "-at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[AuditView]:
    """The entries that `raw` (an `AuditFilters`) asks for; raise `Invalid`.

    Who is no admin sees what happened to campaigns, numbers, groups and prompts of his subtree.
    """
    raise NotImplementedError

"""One act upon many campaigns at once: each of them wholly or not at all, with a report."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Id
from admin.views import View

MOST_AT_ONCE = 200


class BulkAct(Draft):
    """What to do with which campaigns; `owner_id` goes with `change_owner`."""

    action: Literal["pause", "resume", "end", "change_owner"]
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]
    owner_id: Id | None = None


class BulkOutcome(View):
    """What became of one campaign; `problem` is null where it was done."""

    id: int
    done: bool
    problem: str | None


class BulkReport(View):
    done: int
    refused: int
    outcomes: list[BulkOutcome]


def act(session: Session, actor: Actor, raw: object, now: datetime) -> BulkReport:
    """Do what a `BulkAct` asks, campaign by campaign; raise `Invalid` for the request as a whole."""
    raise NotImplementedError

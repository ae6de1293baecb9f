"""One act upon many campaigns at once: each of them wholly or not at all, with a report."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from admin import campaigns
from admin.access.actor import Actor
from admin.drafts import Draft, Id, Reading
from admin.errors import Invalid, Refusal
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


_ACTS = {"pause": campaigns.pause, "resume": campaigns.resume, "end": campaigns.end_now}


def act(session: Session, actor: Actor, raw: object, now: datetime) -> BulkReport:
    """Do what a `BulkAct` asks, campaign by campaign; raise `Invalid` for the request as a whole."""
    actor.require_writing()
    reading = Reading()
    draft = reading.read(BulkAct, raw)
    changes_owner = draft.sent.get("action") == "change_owner"
    if changes_owner and draft.owner_id is None and not reading.has_error("owner_id"):
        reading.add("owner_id", "is mandatory")
    reading.finish()
    outcomes = []
    for campaign_id in dict.fromkeys(draft.ids):
        try:
            if changes_owner:
                wanted = {"owner_id": draft.owner_id}
                campaigns.change_owner(session, actor, campaign_id, wanted, now)
            else:
                _ACTS[draft.action](session, actor, campaign_id, {}, now)
        except Refusal as refusal:
            outcomes.append(BulkOutcome(id=campaign_id, done=False, problem=_worded(refusal)))
        else:
            outcomes.append(BulkOutcome(id=campaign_id, done=True, problem=None))
    done = sum(outcome.done for outcome in outcomes)
    return BulkReport(done=done, refused=len(outcomes) - done, outcomes=outcomes)


def _worded(refusal: Refusal) -> str:
    if isinstance(refusal, Invalid):
        return "; ".join(error.message for error in refusal.errors)
    return str(refusal)

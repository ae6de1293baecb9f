"""The page of one call: what the caller got and why, and what happened in which order."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.call_story import Reported, reported, why
from admin.lists import calls as call_list
from admin.ui import call_wording
from admin.ui.call_wording import Happening
from admin.ui.frame import Asked, Frame
from admin.views import CallDetail, CallView
from models.blocked_caller import BlockedCaller
from models.call import Call
from models.campaign import Campaign
from models.group import Group
from models.tracking_number import TrackingNumber, last_holding
from routing.numbers import PhoneNumber

_OTHERS_SHOWN = 10


def call_page(frame: Frame) -> Blueprint:
    views = Blueprint("call_page", __name__)

    @views.get("/calls/<id:call_id>")
    def show(call_id: int) -> Response:
        with frame.reading() as asked:
            return frame.page(asked, "calls/page.html", **_everything(asked, call_id))

    return views


def _everything(asked: Asked, call_id: int) -> dict[str, Any]:
    session, actor = asked.session, asked.actor
    call = call_list.one(session, actor, call_id, asked.now)
    row = session.get_one(Call, call_id)
    return {
        "call": call,
        "row": row,
        "why": why(session, actor, row),
        "happenings": _happenings(row, reported(session, actor, row)),
        "number": _number(session, actor, row),
        "campaign": _campaign(session, actor, row),
        "group": _group(session, actor, row.group_id),
        "block": _block(session, actor, row),
        "others": _others(asked, call),
    }


def _happenings(row: Call, events: Sequence[Reported]) -> list[Happening]:
    """The arrival and all that was reported, in the order in which it happened."""
    found = [call_wording.happening(each.event, each.fields) for each in events]
    if row.decision is None:
        return found
    arrived = Happening(row.started_at, f"The call arrives and is decided: {row.decision}", "", {})
    # First, whatever a carrier's clock says that counts whole seconds or lags behind ours.
    return [arrived, *found]


def _others(asked: Asked, call: CallDetail) -> list[CallView]:
    """Other calls of the same caller, the latest first."""
    if not isinstance(call.caller, PhoneNumber):
        return []
    raw = {"caller": call.caller.e164, "limit": _OTHERS_SHOWN + 1}
    found = call_list.page(asked.session, asked.actor, raw, asked.now).items
    return [other for other in found if other.id != call.id][:_OTHERS_SHOWN]


def _number(session: Session, actor: Actor, row: Call) -> TrackingNumber | None:
    """The tracking number's page to link to: of its last holding, if the actor sees it."""
    held = None if row.tracking_number is None else last_holding(session, row.tracking_number)
    return held if held is not None and sees_group(session, actor, held.group_id) else None


def _campaign(session: Session, actor: Actor, row: Call) -> Campaign | None:
    """The campaign of the call, as far as it is still there to be seen."""
    campaign = None if row.campaign_id is None else session.get(Campaign, row.campaign_id)
    return campaign if campaign is not None and sees_group(session, actor, campaign.group_id) else None


def _group(session: Session, actor: Actor, group_id: int | None) -> Group | None:
    group = None if group_id is None else session.get(Group, group_id)
    return group if group is not None and sees_group(session, actor, group.id) else None


def _block(session: Session, actor: Actor, row: Call) -> BlockedCaller | None:
    """The block that kept the caller out; one of a group above the actor's keeps its words to itself."""
    block = None if row.blocked_by is None else session.get(BlockedCaller, row.blocked_by)
    return block if block is not None and sees_group(session, actor, block.group_id) else None

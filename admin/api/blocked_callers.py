"""`/api/v1/blocked-callers`."""

from typing import Any

from admin import blocks as use_cases
from admin.api.operations import Asked, Resource
from admin.blocks import NewBlock
from admin.lists import blocks as lists
from admin.lists.blocks import BlockFilters
from admin.views import BlockView, Page

blocked_callers = Resource(
    "blocked-callers",
    "Blocked callers",
    "Callers whom a group, and every group below it, does not want to hear from: a number, all that begin "
    "alike, or all who give none. Their calls are rejected before anything else is looked at. Admins "
    "manage them.",
)

BLOCK: dict[str, Any] = {
    "id": 3,
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "callers": "+1900*",
    "reason": "robot calls",
    "in_force": True,
    "created_at": "2026-07-01T07:00:00Z",
    "expires_at": "2027-01-01T08:00:00Z",
    "lifted_at": None,
    "hits": 12,
    "last_hit_at": "2026-07-03T15:30:00Z",
}


@blocked_callers.get(
    "",
    query=BlockFilters,
    answers=Page[BlockView],
    example={"items": [BLOCK], "next_cursor": None, "total": None},
)
def list_blocked_callers(asked: Asked) -> Page[BlockView]:
    """List blocks, with the calls in the log that each has kept out."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@blocked_callers.get("/<id:block_id>", answers=BlockView, example=BLOCK)
def show_blocked_callers(asked: Asked, block_id: int) -> BlockView:
    """Show a block."""
    return lists.one(asked.session, asked.actor, block_id, asked.now)


@blocked_callers.create(
    "",
    body=NewBlock,
    sends={"callers": "+1900*", "reason": "robot calls", "expires_at": "2027-01-01T08:00:00Z"},
    answers=BlockView,
    example=BLOCK,
)
def block_callers(asked: Asked) -> BlockView:
    """Block callers, from the next call on."""
    added = use_cases.add(asked.session, asked.actor, asked.raw, asked.now)
    return show_blocked_callers(asked, added.id)


@blocked_callers.delete("/<id:block_id>")
def lift_block(asked: Asked, block_id: int) -> None:
    """Let callers through again.

    The block stays among those that have ended, so that the log's blocked calls can be understood.
    """
    use_cases.lift(asked.session, asked.actor, block_id, asked.now)

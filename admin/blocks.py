"""Block lists: callers whom a group, and every group below it, does not want to hear from."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.drafts import Draft, Id, Instant, Line, Reading
from admin.errors import Conflict, NotThere
from admin.references import named_group
from models.blocked_caller import AlreadyBlocked, BlockedCaller, block
from routing.blocks import CallerPattern, NotAPattern


def _callers(value: object) -> CallerPattern:
    if isinstance(value, CallerPattern):
        return value
    try:
        return CallerPattern.parse(value if isinstance(value, str) else "")
    except NotAPattern as error:
        raise PydanticCustomError("callers", "{problem}", {"problem": str(error)}) from None


Callers = Annotated[
    CallerPattern,
    BeforeValidator(_callers),
    PlainSerializer(lambda pattern: pattern.text, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\+[1-9][0-9]{6,14}|\+[1-9][0-9]{0,13}\*|anonymous)$",
            "examples": ["+14155550142", "+1900*", "anonymous"],
        }
    ),
]
"""A number, all numbers that begin alike, or all who give none."""


class NewBlock(Draft):
    """Callers to be blocked from now on."""

    callers: Callers
    group_id: Annotated[Id | None, Field(description="the actor's own, unless named")] = None
    reason: Annotated[Line, Field(description="why, for whoever looks at the list later")] = ""
    expires_at: Annotated[Instant | None, Field(description="when it ends by itself; null: never")] = None


def add(session: Session, actor: Actor, raw: object, now: datetime) -> BlockedCaller:
    """Block callers as a `NewBlock` says; raise `NotAllowed`, `Invalid`, `Conflict`."""
    actor.require_admin()
    reading = Reading()
    draft = reading.read(NewBlock, raw)
    group = named_group(session, actor, draft.group_id, reading)
    if draft.expires_at is not None and draft.expires_at <= now:
        reading.add("expires_at", "is over already; a block ends in the future")
    reading.finish()
    group_id = actor.group_id if group is None else group.id
    try:
        return block(
            session,
            draft.callers,
            group_id=group_id,
            at=now,
            reason=draft.reason,
            expires_at=draft.expires_at,
        )
    except AlreadyBlocked as error:
        raise Conflict("callers", f"{error}; lift that one first") from None


def lift(session: Session, actor: Actor, block_id: int, now: datetime) -> BlockedCaller:
    """Let callers through again; raise `NotThere`, `NotAllowed`, `Conflict`."""
    found = visible_block(session, actor, block_id)
    actor.require_admin()
    if found.lifted_at is not None:
        raise Conflict("lifted_at", f"block {block_id} was lifted already")
    found.lift(now)
    session.flush()
    return found


def visible_block(session: Session, actor: Actor, block_id: int) -> BlockedCaller:
    """Raise `NotThere`."""
    found = session.get(BlockedCaller, block_id)
    if found is None or not sees_group(session, actor, found.group_id):
        raise NotThere("there is no such block")
    return found

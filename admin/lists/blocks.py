"""The block lists of the groups that one sees, with what each block has kept out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.blocks import Callers, visible_block
from admin.drafts import Id, Reading
from admin.lists.listing import Filters, Key, Listing, in_order, read_page
from admin.lists.visible import visible
from admin.views import BlockView, Page
from models.blocked_caller import BlockedCaller, Hits, hits
from models.group import Group
from routing.blocks import fitting


class BlockFilters(Filters):
    callers: Annotated[
        Callers | None, Field(description="a caller, or callers: the blocks that keep all of them out")
    ] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    ended: Annotated[bool, Field(description="those that were lifted or have expired")] = False
    sort: Literal["created_at", "-created_at"] = "-created_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[BlockView]:
    """The blocks that `raw` (a `BlockFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(BlockFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    listing = Listing(
        BlockedCaller.id,
        {"created_at": Key(BlockedCaller.created_at, datetime)},
        [*seen.among(BlockedCaller.group_id), *_conditions(filters, now)],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids, now))


def one(session: Session, actor: Actor, block_id: int, now: datetime) -> BlockView:
    """Raise `NotThere`."""
    visible_block(session, actor, block_id)
    return views(session, [block_id], now)[0]


def views(session: Session, ids: Sequence[int], now: datetime) -> list[BlockView]:
    """What is shown of blocks, in the order of `ids`; two queries, however many they are."""
    rows = session.execute(
        select(BlockedCaller, Group.name)
        .join(Group, Group.id == BlockedCaller.group_id)
        .where(BlockedCaller.id.in_(ids))
    ).all()
    counted = hits(session, ids)
    return in_order(ids, {row[0].id: _view(row[0], row[1], counted, now) for row in rows})


def _view(block: BlockedCaller, group_name: str, counted: dict[int, Hits], now: datetime) -> BlockView:
    kept_out = counted.get(block.id, Hits())
    return BlockView.model_construct(
        id=block.id,
        group_id=block.group_id,
        group_name=group_name,
        callers=block.pattern,
        reason=block.reason,
        in_force=block.lifted_at is None and (block.expires_at is None or now < block.expires_at),
        created_at=block.created_at,
        expires_at=block.expires_at,
        lifted_at=block.lifted_at,
        hits=kept_out.count,
        last_hit_at=kept_out.last_at,
    )


def _conditions(filters: BlockFilters, now: datetime) -> list[ColumnElement[bool]]:
    lasts = or_(BlockedCaller.expires_at.is_(None), BlockedCaller.expires_at > now)
    in_force = BlockedCaller.lifted_at.is_(None) & lasts
    found = [~in_force if filters.ended else in_force]
    if filters.callers is not None:
        found.append(BlockedCaller.pattern.in_(fitting(filters.callers)))
    return found

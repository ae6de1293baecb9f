"""Block lists: whom a group does not want to hear from, why, until when; lifted, never deleted."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import ForeignKey, Index, Row, Select, bindparam, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from models.base import Base
from models.call import Call
from models.group import subtree
from routing.blocks import Block, BlockedPattern, CallerPattern


class AlreadyBlocked(Exception):
    """The group has a block for these callers that is in force."""


class BlockedCaller(Base):
    """One block, from `block` to `lift`; it counts for its group and all groups below.

    Every write raises `revision`; a write based on an older one raises SQLAlchemy's StaleDataError.
    """

    __tablename__ = "blocked_callers"
    __table_args__ = (
        Index(
            "uq_blocked_callers_not_lifted",
            "group_id",
            "pattern",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
            sqlite_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    pattern: Mapped[str] = mapped_column(index=True)
    """The text of a `routing.blocks.CallerPattern`."""
    reason: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    """The first instant at which it blocks nobody any more; None: never."""
    lifted_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": revision, "version_id_generator": False}  # noqa: RUF012

    def lift(self, at: datetime) -> None:
        """Block nobody any more; the row stays, so that the log's blocked calls can be understood."""
        self.lifted_at = at

    @validates("pattern", "group_id", "lifted_at")
    def _one_way(self, key: str, value: object) -> object:
        """The log names a block by its id: it must go on meaning what it meant."""
        before = getattr(self, key)
        if before not in {None, value}:
            raise ValueError(f"the {key} of a block stays; lift it and add another")
        return CallerPattern(str(value)).text if key == "pattern" else value


@dataclass(frozen=True, slots=True)
class Hits:
    """The calls in the log that a block kept out."""

    count: int = 0
    last_at: datetime | None = None


def block(
    session: Session,
    pattern: CallerPattern,
    *,
    group_id: int,
    at: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
) -> BlockedCaller:
    """Put callers on the list of a group at the instant `at`, or raise `AlreadyBlocked`.

    The row is flushed. A block of the same callers that has expired makes way.
    """
    there = session.scalar(
        select(BlockedCaller).where(
            BlockedCaller.group_id == group_id,
            BlockedCaller.pattern == pattern.text,
            BlockedCaller.lifted_at.is_(None),
        )
    )
    if there is not None:
        if there.expires_at is None or at < there.expires_at:
            raise AlreadyBlocked(f"block {there.id} of group {group_id} is for {pattern} already")
        there.lift(there.expires_at)
    added = BlockedCaller(group_id=group_id, pattern=pattern.text, reason=reason, expires_at=expires_at)
    try:
        with session.begin_nested():
            session.add(added)
            session.flush()
    except IntegrityError as error:
        if "uq_blocked_callers_not_lifted" not in str(error) and "blocked_callers.pattern" not in str(error):
            raise  # something else is wrong, such as a group that does not exist
        raise AlreadyBlocked(f"group {group_id} has a block for {pattern} already") from None
    return added


def listed(
    session: Session, group_id: int | None = None, *, at: datetime, ended: bool = False
) -> list[BlockedCaller]:
    """The blocks in force at `at`, the oldest first: all, or those of a group and the groups below.

    `ended`: those too that were lifted or have expired.
    """
    wanted = select(BlockedCaller).order_by(BlockedCaller.id)
    if group_id is not None:
        wanted = wanted.where(BlockedCaller.group_id.in_(subtree(group_id)))
    if not ended:
        lasts = or_(BlockedCaller.expires_at.is_(None), BlockedCaller.expires_at > at)
        wanted = wanted.where(BlockedCaller.lifted_at.is_(None), lasts)
    return list(session.scalars(wanted))


def hits(session: Session, ids: Collection[int]) -> dict[int, Hits]:
    """What each of these blocks kept out, as far as the log has it; blocks without a hit are left out."""
    counted = (
        select(Call.blocked_by, func.count(), func.max(Call.started_at))
        .where(Call.blocked_by.in_(ids))
        .group_by(Call.blocked_by)
    )
    return {row[0]: Hits(row[1], row[2]) for row in session.execute(counted) if row[0] is not None}


def blocks_fitting(session: Session, patterns: Collection[str], groups: Collection[int]) -> list[Block]:
    """The blocks of these groups for these patterns that were not lifted, whether expired or not."""
    rows = session.execute(_FITTING, {"patterns": list(patterns), "groups": list(groups)})
    return [_block(row) for row in rows]


def blocked_patterns(session: Session, ids: Collection[int]) -> Iterator[BlockedPattern]:
    """What the index has to hold for the patterns of these blocks."""
    patterns = select(BlockedCaller.pattern).where(BlockedCaller.id.in_(ids))
    return _by_pattern(session, _COLUMNS.where(BlockedCaller.pattern.in_(patterns)))


def all_blocked_patterns(session: Session) -> Iterator[BlockedPattern]:
    """What the index has to hold: every pattern that was ever blocked."""
    return _by_pattern(session, _COLUMNS)


_Columns = tuple[int, int, str, datetime | None, datetime | None, int]
_COLUMNS: Select[*_Columns] = select(
    BlockedCaller.id,
    BlockedCaller.group_id,
    BlockedCaller.pattern,
    BlockedCaller.expires_at,
    BlockedCaller.lifted_at,
    BlockedCaller.revision,
)

# Built once: putting a statement together costs as much as running it.
_FITTING = _COLUMNS.where(
    BlockedCaller.pattern.in_(bindparam("patterns", expanding=True)),
    BlockedCaller.group_id.in_(bindparam("groups", expanding=True)),
    BlockedCaller.lifted_at.is_(None),
)


def _by_pattern(session: Session, wanted: Select[*_Columns]) -> Iterator[BlockedPattern]:
    rows = session.execute(wanted.order_by(BlockedCaller.pattern, BlockedCaller.id))
    for pattern, of_it in groupby(rows, attrgetter("pattern")):
        held = list(of_it)
        # No row is ever deleted and each change raises one's revision, so that the sum only rises.
        revision = sum(row.revision for row in held)
        blocks = tuple(_block(row) for row in held if row.lifted_at is None)
        yield BlockedPattern(CallerPattern(pattern), revision, blocks)


def _block(row: Row[*_Columns]) -> Block:
    return Block(row.id, row.group_id, CallerPattern(row.pattern), row.expires_at)

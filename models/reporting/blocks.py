"""The roll-ups: counts of whole days and months (UTC) by what reports ask for, and of quarters of an hour.

PostgreSQL alone has them; SQLite reads the log itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    CompoundSelect,
    Date,
    Index,
    Integer,
    Select,
    SmallInteger,
    Table,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    text,
    union_all,
)

from models.base import E164, WHOLE, Base, UtcDateTime
from models.reporting.tally import OUTCOMES
from routing.decision import Reason

IN_VAIN = (Reason.ENDED, Reason.RELEASED, Reason.UNASSIGNED, Reason.ARCHIVED)
"""Why a number reaches nobody any more."""
QUARTER = 900
"""Seconds. All zones of our time stand off by quarters of an hour."""
ALL = 0
"""The `campaign_id` of quarters that count all calls of a group, and the `group_id` too of those that
count all there are."""


class Level(IntEnum):
    """What a block counts by; each call is in one block of every level (`VAIN`: if it reached nobody)."""

    ALL = 0
    GROUP = 1
    CAMPAIGN = 2
    NUMBER = 3
    REGION = 4
    VAIN = 5


class Grain(StrEnum):
    DAY = "day"
    MONTH = "month"


KEYS: Mapping[Level, tuple[str, ...]] = {
    Level.ALL: (),
    Level.GROUP: ("group_id",),
    Level.CAMPAIGN: ("group_id", "campaign_id"),
    Level.NUMBER: ("group_id", "campaign_id", "number"),
    Level.REGION: ("group_id", "country", "state"),
    Level.VAIN: ("group_id", "campaign_id", "number", "reason"),
}
COUNTS = ("calls", *OUTCOMES, "first_time", "withheld")

blocks = Table(
    "report_blocks",
    Base.metadata,
    Column("grain", Text(), nullable=False),
    Column("begins", Date(), nullable=False),
    Column("level", SmallInteger(), nullable=False),
    Column("group_id", WHOLE),
    Column("campaign_id", WHOLE),
    Column("number", E164()),
    Column("country", Text()),
    Column("state", Text()),
    Column("reason", Text()),
    *(Column(name, Integer(), nullable=False) for name in COUNTS),
    Column("last_at", UtcDateTime()),
    Index("ix_report_blocks_grain_begins_level", "grain", "begins", "level"),
    Index("ix_report_blocks_level_grain_group_id_begins", "level", "grain", "group_id", "begins"),
)
quarters = Table(
    "report_quarters",
    Base.metadata,
    Column("group_id", WHOLE, primary_key=True, autoincrement=False),
    Column("campaign_id", WHOLE, primary_key=True, autoincrement=False),
    Column("quarter", Integer(), primary_key=True, autoincrement=False),
    *(Column(name, Integer(), nullable=False) for name in ("calls", *OUTCOMES)),
    Index("ix_report_quarters_quarter", "quarter"),
    Index(
        "ix_report_quarters_campaign_id_quarter",
        *("campaign_id", "quarter"),
        postgresql_where=text("campaign_id > 0"),
        sqlite_where=text("campaign_id > 0"),
    ),
)
BLOCK_COLUMNS = tuple(column.name for column in blocks.columns)
_ALL_KEYS = ("group_id", "campaign_id", "number", "country", "state", "reason")


def level_for(names: Iterable[str]) -> Level | None:
    """The coarsest level that tells these keys apart; None: only the log does."""
    wanted = set(names)
    return next((level for level in Level if level is not Level.VAIN and wanted <= set(KEYS[level])), None)


def counted(facts: CTE, *, callers: bool) -> list[ColumnElement[Any]]:
    """`COUNTS` of facts, as far as they are known, by name; whole numbers of the size of the roll-ups."""
    found: dict[str, ColumnElement[Any]] = {"calls": func.count()}
    found |= {outcome: func.count().filter(facts.c.outcome == outcome) for outcome in OUTCOMES}
    if callers:
        found["first_time"] = func.count().filter(facts.c.is_first)
        found["withheld"] = func.count().filter(facts.c.caller.is_(None))
    return [cast(count, Integer).label(name) for name, count in found.items()]


def blocks_of_day(facts: CTE, day: date) -> CompoundSelect[*tuple[Any, ...]]:
    """All blocks of a day, from its facts with callers; columns as `BLOCK_COLUMNS`."""
    return union_all(*(_blocks(facts, level, day) for level in Level))


def quarters_of_day(facts: CTE) -> CompoundSelect[*tuple[Any, ...]]:
    quarter = (facts.c.seconds // QUARTER).label("quarter")
    counts = counted(facts, callers=False)
    group_id, campaign_id = facts.c.group_id, facts.c.campaign_id
    every_group, every_campaign = (literal(ALL, WHOLE).label(name) for name in ("group_id", "campaign_id"))
    whose = func.coalesce(group_id, ALL)
    return union_all(
        select(every_group, every_campaign, quarter, *counts).group_by(quarter),
        select(group_id, every_campaign, quarter, *counts)
        .where(group_id.is_not(None))
        .group_by(group_id, quarter),
        select(whose, campaign_id, quarter, *counts)
        .where(campaign_id.is_not(None))
        .group_by(whose, campaign_id, quarter),
    )


def blocks_of_month(month: date, days: Sequence[date]) -> Select[*tuple[Any, ...]]:
    """All blocks of a month, from those of its `days`; columns as `BLOCK_COLUMNS`."""
    keys = [blocks.c[name] for name in ("level", *_ALL_KEYS)]
    sums = [cast(func.sum(blocks.c[name]), Integer) for name in COUNTS]
    return (
        select(literal(Grain.MONTH.value), literal(month, Date()), *keys, *sums, func.max(blocks.c.last_at))
        .where(blocks.c.grain == Grain.DAY.value, blocks.c.begins.in_(days))
        .group_by(*keys)
    )


def _blocks(facts: CTE, level: Level, day: date) -> Select[*tuple[Any, ...]]:
    keys = KEYS[level]
    named = [
        (facts.c[name] if name in keys else cast(null(), blocks.c[name].type)).label(name)
        for name in _ALL_KEYS
    ]
    in_vain = level is Level.VAIN
    last_at = func.max(facts.c.started_at) if in_vain else cast(null(), blocks.c.last_at.type)
    found = select(
        literal(Grain.DAY.value),
        literal(day, Date()),
        literal(int(level), SmallInteger()),
        *named,
        *counted(facts, callers=True),
        last_at,
    )
    if in_vain:
        found = found.where(facts.c.reason.in_([reason.value for reason in IN_VAIN]))
    if keys:
        return found.group_by(*(facts.c[name] for name in keys))
    return found.having(func.count() > 0)

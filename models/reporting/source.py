"""Where the figures of a report are read: roll-ups where they are right, the log for the rest."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from models.reporting.blocks import (
    ALL,
    COUNTS,
    QUARTER,
    Grain,
    Level,
    blocks,
    counted,
    level_for,
    quarters,
)
from models.reporting.changes import day_span
from models.reporting.coverage import Coverage, coverage
from models.reporting.facts import facts
from models.reporting.period import Span, joined
from models.reporting.scope import Scope, among
from models.reporting.tally import OUTCOMES

TALLY = ("calls", *OUTCOMES)


def counts_by(
    session: Session, scope: Scope, span: Span, keys: Sequence[str], names: Sequence[str] = COUNTS
) -> Subquery:
    """Rows of `keys` and counts, several with the same keys perhaps: their sums are the figures.

    `keys` are names of columns of facts; `names` are `COUNTS` or `TALLY`, which is cheaper by far where
    only the log can be read.
    """
    callers = len(names) > len(TALLY)
    filtered = {
        "group_id": scope.group_ids is not None,
        "campaign_id": scope.campaign_id is not None,
        "number": scope.number is not None,
    }
    level = level_for({*keys, *(name for name, is_wanted in filtered.items() if is_wanted)})
    cover = coverage(session, span, callers=callers)
    if level is None:
        cover = Coverage((), (), (span,), cover.unsettled)
    parts: list[Select[*tuple[Any, ...]]] = []
    if level is not None and (cover.months or cover.days):
        parts.append(of_blocks(session, level, scope, cover, (*keys, *names)))
    if cover.spans:
        rows = facts(session, cover.spans, scope, callers=callers, unsettled=cover.unsettled)
        columns = [rows.c[name] for name in keys]
        parts.append(select(*columns, *counted(rows, callers=callers)).group_by(*columns))
    return (parts[0] if len(parts) == 1 else union_all(*parts)).subquery("counts")


def counts_by_time(session: Session, scope: Scope, span: Span) -> Subquery:
    """Rows of `seconds` (since 1970, of a quarter of an hour's beginning) and `TALLY`, as `counts_by`."""
    cover = coverage(session, span)
    parts: list[Select[*tuple[Any, ...]]] = []
    spans = cover.spans
    if scope.number is not None:
        spans = (span,)
    elif cover.all_days:
        days = joined(day_span(day) for day in cover.all_days)
        within = or_(
            *(
                and_(quarters.c.quarter >= _quarter(each.begin), quarters.c.quarter < _quarter(each.end))
                for each in days
            )
        )
        whose = scope.group_ids
        if scope.campaign_id is None and whose is None:
            whose = frozenset({ALL})
        parts.append(
            select(
                (quarters.c.quarter * QUARTER).label("seconds"), *(quarters.c[name] for name in TALLY)
            ).where(
                within,
                quarters.c.campaign_id == (ALL if scope.campaign_id is None else scope.campaign_id),
                *among(session, quarters.c.group_id, whose),
            )
        )
    if spans:
        rows = facts(session, spans, scope)
        seconds = (rows.c.seconds // QUARTER * QUARTER).label("seconds")
        parts.append(select(seconds, *counted(rows, callers=False)).group_by(seconds))
    return (parts[0] if len(parts) == 1 else union_all(*parts)).subquery("counts")


def summed(counts: Subquery, names: Sequence[str] = COUNTS) -> list[ColumnElement[Any]]:
    return [func.coalesce(func.sum(counts.c[name]), 0).label(name) for name in names]


def of_blocks(
    session: Session, level: Level, scope: Scope, cover: Coverage, columns: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    """The blocks of a level in a scope, as far as they cover."""
    wanted = select(*(blocks.c[name] for name in columns)).where(
        blocks.c.level == int(level),
        _begins(cover),
        *among(session, blocks.c.group_id, scope.group_ids),
    )
    if scope.campaign_id is not None:
        wanted = wanted.where(blocks.c.campaign_id == scope.campaign_id)
    if scope.number is not None:
        wanted = wanted.where(blocks.c.number == scope.number)
    return wanted


def _begins(cover: Coverage) -> ColumnElement[bool]:
    return or_(
        *(
            and_(blocks.c.grain == grain.value, blocks.c.begins.in_(begins))
            for grain, begins in ((Grain.MONTH, cover.months), (Grain.DAY, cover.days))
            if begins
        )
    )


def _quarter(instant: Any) -> int:  # noqa: ANN401
    return int(instant.timestamp()) // QUARTER

"""Numbers that are over and are dialled all the same."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Subquery, func, or_, select, union_all
from sqlalchemy.orm import Session

from models.call import Call
from models.campaign import Campaign
from models.reporting.blocks import IN_VAIN, Level
from models.reporting.coverage import coverage
from models.reporting.facts import facts
from models.reporting.newcomers import caller_of_call
from models.reporting.period import Period, Span
from models.reporting.scope import Scope, among
from models.reporting.source import of_blocks
from routing.numbers import PhoneNumber

_KEYS = ("number", "campaign_id", "reason")
_WORDS = [reason.value for reason in IN_VAIN]


@dataclass(frozen=True, slots=True)
class Vain:
    """Calls of one number that reached nobody because it is over."""

    number: PhoneNumber | None
    campaign_id: int | None
    campaign_external_id: str | None
    """As it is now, like the name."""
    campaign_name: str | None
    reason: str | None
    calls: int
    callers: int
    """How many different ones; those who withheld their number are not among them."""
    last_at: datetime


def numbers_in_vain(session: Session, scope: Scope, period: Period, limit: int | None) -> list[Vain]:
    """The numbers that are dialled most though they are over, by why they are.

    How many different callers they had is looked up in the log for those that are shown.
    """
    counts = _counts(session, scope, period.span)
    keys = [counts.c[name] for name in _KEYS]
    calls = func.sum(counts.c.calls).label("calls")
    ranking = (
        select(*keys, calls, func.max(counts.c.last_at).label("last_at"))
        .group_by(*keys)
        .order_by(calls.desc(), *(key.asc().nulls_last() for key in keys))
        .limit(limit)
        .subquery("ranking")
    )
    wanted = (
        select(ranking, Campaign.external_id, Campaign.name.label("campaign_name"))
        .outerjoin(Campaign, Campaign.id == ranking.c.campaign_id)
        .order_by(ranking.c.calls.desc(), *(ranking.c[name].asc().nulls_last() for name in _KEYS))
    )
    rows = session.execute(wanted).all()
    callers = _callers(session, scope, period.span, rows)
    return [
        Vain(
            row.number,
            row.campaign_id,
            row.external_id,
            row.campaign_name,
            row.reason,
            row.calls,
            callers.get((row.number, row.campaign_id, row.reason), 0),
            row.last_at,
        )
        for row in rows
    ]


def count_in_vain(session: Session, scope: Scope, period: Period) -> int:
    """How many rows `numbers_in_vain` has without a limit."""
    counts = _counts(session, scope, period.span)
    rows = select(*(counts.c[name] for name in _KEYS)).distinct().subquery("rows")
    return session.scalars(select(func.count()).select_from(rows)).one()


def calls_in_vain(
    session: Session, scope: Scope, period: Period, numbers: Collection[PhoneNumber | None]
) -> dict[tuple[Any, ...], int]:
    """The calls of these numbers, by number, campaign and reason."""
    counts = _counts(session, scope, period.span)
    keys = [counts.c[name] for name in _KEYS]
    wanted = (
        select(*keys, func.sum(counts.c.calls))
        .where(or_(counts.c.number.in_(set(numbers) - {None}), counts.c.number.is_(None)))
        .group_by(*keys)
    )
    return {tuple(row[:-1]): row[-1] for row in session.execute(wanted)}


def _counts(session: Session, scope: Scope, span: Span) -> Subquery:
    cover = coverage(session, span)
    parts: list[Select[*tuple[Any, ...]]] = []
    if cover.months or cover.days:
        parts.append(of_blocks(session, Level.VAIN, scope, cover, (*_KEYS, "calls", "last_at")))
    if cover.spans:
        rows = facts(session, cover.spans, scope)
        keys = [rows.c[name] for name in _KEYS]
        last_at = func.max(rows.c.started_at).label("last_at")
        parts.append(
            select(*keys, func.count().label("calls"), last_at)
            .where(rows.c.reason.in_(_WORDS))
            .group_by(*keys)
        )
    return (parts[0] if len(parts) == 1 else union_all(*parts)).subquery("counts")


def _callers(
    session: Session, scope: Scope, span: Span, rows: Sequence[Row[*tuple[Any, ...]]]
) -> dict[tuple[Any, ...], int]:
    keys = (Call.tracking_number, Call.campaign_id, Call.reason)
    wanted = (
        select(*keys, func.count(caller_of_call.distinct()))
        .where(
            Call.started_at >= span.begin,
            Call.started_at < span.end,
            Call.reason.in_(_WORDS),
            *among(session, Call.group_id, scope.group_ids),
        )
        .group_by(*keys)
    )
    if numbers := {row.number for row in rows} - {None}:
        wanted = wanted.where(Call.tracking_number.in_(numbers))
    return {(row[0], row[1], row[2]): row[3] for row in session.execute(wanted)} if rows else {}

"""The call log as a list."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from operator import eq, ge, gt, le, lt
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Line, Reading
from admin.errors import NotThere
from admin.lists.call_counts import CountedFilters, counted_conditions
from admin.lists.digits import Digits, check_digits, digits_condition
from admin.lists.listing import Key, Listing, compared, in_order, read_page
from admin.lists.visible import visible
from admin.masking import masking
from admin.views import CallDetail, CallView, Page
from models.call import Call
from models.call_rows import in_pieces, plain
from models.campaign import Campaign
from models.tracking_number import TrackingNumber
from routing.numbers import NotE164, PhoneNumber, mask

_FEW = 500
Decision = Literal["connect", "referral", "reject", "apology"]
EXPORTED: list[ColumnElement[Any]] = [
    Campaign.name.label(name) if name == "campaign_name" else plain(Call.__table__.c[name])
    for name in CallView.model_fields
]
"""The columns of `all_rows`: what a list shows of a call."""
_CALLER, _GROUP = (list(CallView.model_fields).index(name) for name in ("caller", "group_id"))


class CallFilters(CountedFilters):
    campaign_id: Id | None = None
    number: Digits = None
    caller: Digits = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    decision: Annotated[list[Decision], Field(default_factory=list)]
    reason: Annotated[list[Line], Field(default_factory=list)]
    disposition: Annotated[list[Line], Field(default_factory=list)]
    duration_from: Annotated[int | None, Field(ge=0, le=10**6, description="seconds")] = None
    duration_to: Annotated[int | None, Field(ge=0, le=10**6, description="seconds")] = None
    after_id: Annotated[Id | None, Field(description="logged after the call with this id")] = None
    sort: Literal["started_at", "-started_at"] = "-started_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[CallView]:  # noqa: ARG001
    """The calls that `raw` (a `CallFilters`) asks for; raise `Invalid`."""
    filters = _read(raw)
    listing = Listing(
        Call.id, {"started_at": Key(Call.started_at, datetime)}, _conditions(session, actor, filters)
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, actor, ids))


def check_filters(filters: CallFilters, reading: Reading, place: str = "") -> None:
    """Add an error for each filter that finds nothing in reasonable time; `place` leads their names."""
    check_digits(filters.number, f"{place}number", reading)
    check_digits(filters.caller, f"{place}caller", reading)
    if filters.first_time is not None and filters.started_from is None:
        reading.add(f"{place}first_time", "needs a time from which on calls are looked at (started_from)")


def count(session: Session, actor: Actor, raw: object) -> int:
    """How many calls `raw` (a `CallFilters`) asks for; raise `Invalid`."""
    wanted = select(func.count()).select_from(Call).where(*_conditions(session, actor, _read(raw)))
    return session.scalars(wanted).one()


def all_rows(session: Session, actor: Actor, raw: object) -> Iterator[Sequence[Sequence[Any]]]:
    """All calls that `raw` asks for, as plain values of `EXPORTED`, some thousand at a time."""
    filters = _read(raw)
    order = [Call.started_at, Call.id]
    wanted = (
        select(*EXPORTED)
        .outerjoin(Campaign, Campaign.id == Call.campaign_id)
        .where(*_conditions(session, actor, filters))
        .order_by(*(key.desc() if filters.sort.startswith("-") else key.asc() for key in order))
    )
    masked = masking(session, actor).group_ids
    for rows in in_pieces(session, wanted):
        yield [_masked(row, masked) for row in rows] if masked else rows


def one(session: Session, actor: Actor, call_id: int, now: datetime) -> CallDetail:  # noqa: ARG001
    """Raise `NotThere`."""
    call = session.get(Call, call_id)
    seen = visible(session, actor)
    if call is None or not (seen.everything or call.group_id in seen.ids):
        raise NotThere("there is no such call")
    [shown] = views(session, actor, [call_id])
    details = {
        name: getattr(call, name) for name in CallDetail.model_fields if name not in CallView.model_fields
    }
    if shown.caller != call.caller:
        masked = masking(session, actor)
        details["forwarded_from"] = masked.caller(call.forwarded_from, call.group_id)
        # Among the facts are the blocks that met the call, perhaps one of this very caller.
        details["facts"] = {name: fact for name, fact in (call.facts or {}).items() if name != "blocks"}
    return CallDetail.model_construct(**dict(shown), **details)


def some(session: Session, actor: Actor, ids: Sequence[int]) -> list[CallView]:
    """Those of the calls that the actor may see."""
    found = views(session, actor, ids) if ids else []
    seen = visible(session, actor)
    return [call for call in found if seen.everything or call.group_id in seen.ids]


def views(session: Session, actor: Actor, ids: Sequence[int]) -> list[CallView]:
    """What the actor is shown of calls, in the order of `ids`; a few queries, however many they are."""
    masked = masking(session, actor)
    columns = [getattr(Call, name) for name in CallView.model_fields if name != "campaign_name"]
    rows = session.execute(
        select(*columns, Campaign.name.label("campaign_name"))
        .outerjoin(Campaign, Campaign.id == Call.campaign_id)
        .where(Call.id.in_(ids))
    ).mappings()
    return in_order(
        ids,
        {
            row["id"]: CallView.model_construct(
                **{**row, "caller": masked.caller(row["caller"], row["group_id"])}
            )
            for row in rows
        },
    )


def _read(raw: object) -> CallFilters:
    reading = Reading()
    filters = reading.read(CallFilters, raw)
    check_filters(filters, reading)
    reading.finish()
    return filters


def _masked(row: Sequence[Any], group_ids: frozenset[int | None]) -> Sequence[Any]:
    caller = row[_CALLER]
    if caller is None or row[_GROUP] not in group_ids:
        return row
    return (*row[:_CALLER], mask(caller), *row[_CALLER + 1 :])


def _conditions(session: Session, actor: Actor, filters: CallFilters) -> list[ColumnElement[bool]]:
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    found: list[ColumnElement[bool]] = list(seen.among(Call.group_id))
    if filters.number:
        found.append(_dialled(session, actor, filters.number))
    if filters.caller:
        found.append(digits_condition(session, actor, Call.caller, filters.caller))
        found += masking(session, actor).may_be_found()
    for words, column_of_words in (
        (filters.decision, Call.decision),
        (filters.reason, Call.reason),
        (filters.disposition, Call.disposition),
    ):
        if words:
            found.append(column_of_words.in_(words))
    found += counted_conditions(session, actor, filters)
    return found + compared(
        (Call.campaign_id, eq, filters.campaign_id),
        (Call.started_at, ge, filters.started_from),
        (Call.started_at, lt, filters.started_before),
        (Call.id, gt, filters.after_id),
        (Call.duration_seconds, ge, filters.duration_from),
        (Call.duration_seconds, le, filters.duration_to),
    )


def _dialled(session: Session, actor: Actor, written: str) -> ColumnElement[bool]:
    """Whether a number with these digits was dialled.

    Few are named one by one, for the log has an index by number; of those that are not ours only one
    that is written in full.
    """
    ours = select(TrackingNumber.number).where(
        digits_condition(session, actor, TrackingNumber.number, written)
    )
    numbers = session.scalars(ours.distinct().limit(_FEW + 1)).all()
    if len(numbers) > _FEW:
        return digits_condition(session, actor, Call.tracking_number, written)
    with suppress(NotE164):
        numbers = [*numbers, PhoneNumber.parse(written)]
    return Call.tracking_number.in_(numbers)

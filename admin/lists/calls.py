"""The call log as a list."""

from collections.abc import Sequence
from datetime import datetime
from operator import eq, ge, gt, le, lt
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Line, Reading
from admin.errors import NotThere
from admin.lists.digits import Digits, check_digits, digits_condition
from admin.lists.listing import Filters, Key, Listing, compared, in_order, read_page
from admin.lists.visible import visible
from admin.views import CallDetail, CallView, Page
from models.call import Call
from models.campaign import Campaign

Decision = Literal["connect", "referral", "reject", "apology"]


class CallFilters(Filters):
    started_from: Instant | None = None
    started_before: Instant | None = None
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
    sort: Literal["started_at", "-started_at", "duration_seconds", "-duration_seconds"] = "-started_at"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[CallView]:  # noqa: ARG001
    """The calls that `raw` (a `CallFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(CallFilters, raw)
    check_digits(filters.number, "number", reading)
    check_digits(filters.caller, "caller", reading)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    listing = Listing(
        Call.id,
        {
            "started_at": Key(Call.started_at, datetime),
            "duration_seconds": Key(func.coalesce(Call.duration_seconds, -1), int),
        },
        [*seen.among(Call.group_id), *_conditions(session, actor, filters)],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def one(session: Session, actor: Actor, call_id: int, now: datetime) -> CallDetail:  # noqa: ARG001
    """Raise `NotThere`."""
    call = session.get(Call, call_id)
    seen = visible(session, actor)
    if call is None or not (seen.everything or call.group_id in seen.ids):
        raise NotThere("there is no such call")
    [shown] = views(session, [call_id])
    details = {
        name: getattr(call, name) for name in CallDetail.model_fields if name not in CallView.model_fields
    }
    return CallDetail.model_construct(**dict(shown), **details)


def some(session: Session, actor: Actor, ids: Sequence[int]) -> list[CallView]:
    """Those of the calls that the actor may see."""
    found = views(session, ids) if ids else []
    seen = visible(session, actor)
    return [call for call in found if seen.everything or call.group_id in seen.ids]


def views(session: Session, ids: Sequence[int]) -> list[CallView]:
    """What is shown of calls, in the order of `ids`; one query, however many they are."""
    columns = [getattr(Call, name) for name in CallView.model_fields if name != "campaign_name"]
    rows = session.execute(
        select(*columns, Campaign.name.label("campaign_name"))
        .outerjoin(Campaign, Campaign.id == Call.campaign_id)
        .where(Call.id.in_(ids))
    ).mappings()
    return in_order(ids, {row["id"]: CallView.model_construct(**row) for row in rows})


def _conditions(session: Session, actor: Actor, filters: CallFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, written in ((Call.tracking_number, filters.number), (Call.caller, filters.caller)):
        if written:
            found.append(digits_condition(session, actor, column, written))
    for words, column_of_words in (
        (filters.decision, Call.decision),
        (filters.reason, Call.reason),
        (filters.disposition, Call.disposition),
    ):
        if words:
            found.append(column_of_words.in_(words))
    return found + compared(
        (Call.campaign_id, eq, filters.campaign_id),
        (Call.started_at, ge, filters.started_from),
        (Call.started_at, lt, filters.started_before),
        (Call.id, gt, filters.after_id),
        (func.coalesce(Call.duration_seconds, -1), ge, filters.duration_from),
        (func.coalesce(Call.duration_seconds, -1), le, filters.duration_to),
    )

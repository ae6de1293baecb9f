"""The list of tracking numbers."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import eq, ge, lt
from typing import Annotated, Literal

import phonenumbers
from pydantic import Field
from sqlalchemy import ColumnElement, Text, select, type_coerce
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Instant, Line, Phone, Reading
from admin.lists.digits import Digits, check_digits, digits_condition
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    compared,
    in_order,
    read_page,
    unindexed,
)
from admin.lists.visible import visible
from admin.lists.words import words_condition
from admin.references import visible_number
from admin.views import NumberView, Page
from models.campaign import Campaign
from models.group import Group
from models.routes import campaign_facts
from models.tracking_number import NumberStatus, TrackingNumber
from routing.numbers import PhoneNumber
from routing.policy import State, state_of
from routing.route import CallerId


class NumberFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    number: Digits = None
    campaign_id: Id | None = None
    assigned: Annotated[bool | None, Field(description="whether it is on a campaign")] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    status: Annotated[
        NumberStatus | None, Field(description="released ones are left out unless asked for")
    ] = None
    record_calls: bool | None = None
    caller_id: CallerId | None = None
    destination: Annotated[Phone | None, Field(description="exactly this destination of its own")] = None
    created_from: Instant | None = None
    created_before: Instant | None = None
    sort: Literal["number", "-number", "name", "-name", "created_at", "-created_at"] = "number"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[NumberView]:
    """The numbers that `raw` (a `NumberFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(NumberFilters, raw)
    check_digits(filters.number, "number", reading)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    name = Key(alphabetical(session, TrackingNumber.name), str)
    listing = Listing(
        TrackingNumber.id,
        {
            "number": Key(type_coerce(TrackingNumber.number, Text), str),
            "name": unindexed(name) if filters.q else name,
            "created_at": Key(TrackingNumber.created_at, datetime),
        },
        [*seen.among(TrackingNumber.group_id), *_conditions(session, actor, filters)],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids, now))


def one(session: Session, actor: Actor, number_id: int, now: datetime) -> NumberView:
    """Raise `NotThere`."""
    visible_number(session, actor, number_id)
    return views(session, [number_id], now)[0]


def views(session: Session, ids: Sequence[int], now: datetime) -> list[NumberView]:
    """What is shown of numbers, in the order of `ids`; two queries, however many they are."""
    rows = session.execute(
        select(TrackingNumber, Group.name, Campaign.name, Campaign.external_id)
        .join(Group, Group.id == TrackingNumber.group_id)
        .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
        .where(TrackingNumber.id.in_(ids))
    ).all()
    facts = campaign_facts(session, {row[0].campaign_id for row in rows if row[0].campaign_id is not None})
    by_id = {}
    for number, group_name, campaign_name, external_id in rows:
        campaign = facts.get(number.campaign_id or 0)
        is_live = campaign is not None and state_of(campaign, now) is State.LIVE
        by_id[number.id] = NumberView.model_construct(
            **{name: getattr(number, name) for name in _STORED},
            national=national(number.number),
            campaign_name=campaign_name,
            campaign_external_id=external_id,
            group_name=group_name,
            active=is_live and number.status is NumberStatus.ACTIVE,
        )
    return in_order(ids, by_id)


_STORED = tuple(name for name in NumberView.model_fields if name in TrackingNumber.__table__.columns)


@lru_cache(maxsize=10_000)
def national(number: PhoneNumber) -> str:
    """The number as it is written in its own country."""
    try:
        parsed = phonenumbers.parse(number.e164)
    except phonenumbers.NumberParseException:  # a country code that nobody was given
        return number.e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def _conditions(session: Session, actor: Actor, filters: NumberFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [TrackingNumber.status == (filters.status or NumberStatus.ACTIVE)]
    if filters.q:
        found.append(words_condition(session, TrackingNumber.id, [TrackingNumber.name], filters.q))
    if filters.number:
        found.append(digits_condition(session, actor, TrackingNumber.number, filters.number))
    if filters.assigned is not None:
        on_one = TrackingNumber.campaign_id.is_not(None)
        found.append(on_one if filters.assigned else ~on_one)
    return found + compared(
        (TrackingNumber.campaign_id, eq, filters.campaign_id),
        (TrackingNumber.record_calls, eq, filters.record_calls),
        (TrackingNumber.caller_id, eq, filters.caller_id),
        (TrackingNumber.destination, eq, filters.destination),
        (TrackingNumber.created_at, ge, filters.created_from),
        (TrackingNumber.created_at, lt, filters.created_before),
    )

"""Refuse, as they are saved, destinations that no call may be connected to.

What the kind of a number tells is refused by the mappings themselves; here stands what takes a look
at other rows: our own numbers and the countries of groups. A change of a group's countries is not
held against what is saved already: such calls get an apology, and an alert counts them.
"""

from collections.abc import Callable, Sequence
from functools import cache

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models.campaign import Campaign
from models.group import countries_of
from models.tracking_number import NumberStatus, TrackingNumber
from routing.destinations import UnfitDestination, refuse_unfit
from routing.numbers import PhoneNumber

Countries = Callable[[int], tuple[str, ...] | None]
"""The countries to which the numbers of a group may connect, by its id."""


def refuse_unfit_destinations(session: Session, changed: Sequence[Campaign | TrackingNumber]) -> None:
    """Raise `UnfitDestination` if one of these rows, about to be flushed, would dial such a number."""
    # Thousands of numbers that come at once have few groups.
    countries = cache(lambda group_id: countries_of(session, group_id))
    with session.no_autoflush:
        _refuse_own_numbers(session, changed)
        for entity in changed:
            match entity:
                case Campaign() if _has_changed(entity, "destination", "group_id"):
                    _refuse_countries_of_campaign(session, entity, countries)
                case TrackingNumber() if _has_changed(entity, "destination", "group_id", "campaign_id"):
                    _refuse_countries_of_number(session, entity, countries)
                case _:
                    pass


def _refuse_own_numbers(session: Session, changed: Sequence[Campaign | TrackingNumber]) -> None:
    """A destination that is a tracking number of ours would send the call round in a circle."""
    destinations = {
        entity.destination
        for entity in changed
        if entity.destination is not None and _has_changed(entity, "destination")
    }
    own = {entity.number for entity in changed if isinstance(entity, TrackingNumber)}
    held = select(TrackingNumber.id).where(
        TrackingNumber.number.in_(destinations), TrackingNumber.status == NumberStatus.ACTIVE
    )
    if own & destinations or (destinations and session.scalar(held.limit(1)) is not None):
        raise UnfitDestination("the destination is a tracking number of ours; name the business's number")
    new = {e.number for e in changed if isinstance(e, TrackingNumber) and _has_changed(e, "number")}
    if new and _are_destinations(session, new):
        raise UnfitDestination(
            "the number is the destination of a campaign or number; give that another first"
        )


def _are_destinations(session: Session, numbers: set[PhoneNumber]) -> bool:
    campaigns = select(Campaign.id).where(Campaign.destination.in_(numbers), Campaign.archived_at.is_(None))
    holdings = select(TrackingNumber.id).where(
        TrackingNumber.destination.in_(numbers), TrackingNumber.status == NumberStatus.ACTIVE
    )
    return any(session.scalar(found.limit(1)) is not None for found in (campaigns, holdings))


def _refuse_countries_of_campaign(session: Session, campaign: Campaign, countries_of: Countries) -> None:
    countries = countries_of(campaign.group_id)
    if campaign.destination is not None:
        refuse_unfit(campaign.destination, countries=countries)
    if campaign in session.new:
        return
    on_it = TrackingNumber.campaign_id == campaign.id, TrackingNumber.status == NumberStatus.ACTIVE
    # One number for each beginning is enough: no calling code is longer than its three digits.
    samples = select(func.min(TrackingNumber.number), TrackingNumber.destination).where(*on_it)
    samples = samples.group_by(func.substr(TrackingNumber.number, 1, 4), TrackingNumber.destination)
    for dialled, own in session.execute(samples):
        if (destination := own or campaign.destination) is not None:
            refuse_unfit(destination, dialled, countries)


def _refuse_countries_of_number(session: Session, number: TrackingNumber, countries_of: Countries) -> None:
    campaign = None if number.campaign_id is None else session.get(Campaign, number.campaign_id)
    destination = number.destination or (None if campaign is None else campaign.destination)
    if destination is not None:
        group_id = number.group_id if campaign is None else campaign.group_id
        refuse_unfit(destination, number.number, countries_of(group_id))


def _has_changed(entity: object, *attributes: str) -> bool:
    state = inspect(entity)
    return any(state.attrs[name].history.has_changes() for name in attributes)

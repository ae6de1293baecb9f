"""What tests of provisioning share: a campaign to buy for, and where numbers stand everywhere."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select

from admin import number_orders
from admin.access.actor import Actor
from models.blocked_caller import all_blocked_patterns
from models.campaign import Campaign
from models.number_order import NumberOrder, Purchase
from models.routes import held_or_released, stream_campaigns, stream_numbers
from models.tracking_number import NumberStatus, TrackingNumber
from models.user import Role
from routing.index.audit import IndexAudit
from tests.admin.stall import Stall
from tests.builders import BUSINESS, a_campaign, a_group
from tests.scripts.installation import Installation


def a_campaign_to_buy_for(installation: Installation, **said: object) -> int:
    """A live campaign of a group in the US; the index is there."""
    with installation.database.session() as session:
        group = a_group(session, phone=BUSINESS)
        campaign = a_campaign(session, group_id=group.id, **said)
    installation.rebuild_index()
    return campaign.id


def held(installation: Installation) -> dict[str, TrackingNumber]:
    """The numbers that are held, by E.164."""
    with installation.database.reading() as session:
        found = session.scalars(select(TrackingNumber).where(TrackingNumber.status == NumberStatus.ACTIVE))
        return {number.number.e164: number for number in found}


def index_differences(installation: Installation) -> list[str]:
    """What the index has differently from the truth."""
    audit = IndexAudit(installation.redis, installation.layout)
    with installation.database.reading() as one, installation.database.reading() as other:
        found = audit.differences(
            stream_campaigns(one),
            stream_numbers(other),
            all_blocked_patterns(one),
            lambda e164s: held_or_released(one, e164s),
        )
        return [f"{difference.subject}: {difference.fault}" for difference in found]


def orders(installation: Installation) -> list[NumberOrder]:
    with installation.database.reading() as session:
        return list(session.scalars(select(NumberOrder).order_by(NumberOrder.id)))


def purchases(installation: Installation) -> list[Purchase]:
    with installation.database.reading() as session:
        return list(session.scalars(select(Purchase).order_by(Purchase.id)))


def an_order(installation: Installation, campaign_id: int, **said: object) -> int:
    """The id of an order that somebody gave on the page; a worker carries it out."""
    with installation.database.session() as session:
        campaign = session.get_one(Campaign, campaign_id)
        actor = Actor(campaign.owner_id, campaign.group_id, Role.ADMIN, "UTC")
        raw = {"campaign_id": campaign_id, "country": "US"} | said
        return number_orders.place(session, actor, raw, Stall(), datetime.now(UTC)).id


def some_numbers(count: int, area_code: int = 415) -> Iterable[str]:
    """So many numbers of one area code, which nobody has."""
    return [f"+1{area_code}555{serial:04d}" for serial in range(1000, 1000 + count)]

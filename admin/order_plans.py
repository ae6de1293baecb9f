"""What an order would buy if it were given now: numbers on offer, their names, what they cost."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from admin.drafts import Phone
from admin.number_orders import Plan, name_of, numbers_of
from admin.number_search import MOST_OFFERS, Market, Offered, Priced
from admin.views import View
from routing.numbers import PhoneNumber


class CandidateView(View):
    """A number that would be bought, and what it would be called here."""

    number: Phone
    name: str
    locality: str
    region: str
    address_required: Annotated[str, Field(description="none, any, local or foreign; empty: not known")]


class OrderPlanView(View):
    """An order that could be given. Nothing is held back: somebody else may be faster."""

    order_id: Annotated[int | None, Field(description="of the order that this request gave already")]
    quantity: int
    campaign_id: int | None
    group_id: int
    destination: Annotated[Phone | None, Field(description="where the calls will connect")]
    candidates: Annotated[list[CandidateView], Field(description="200 at most")]
    names: list[str]
    price: Annotated[str | None, Field(description="of one number for a month, where it is known")]
    monthly: Annotated[str | None, Field(description="of all of them for a month")]
    currency: str | None

    @property
    def falls_short(self) -> bool:
        """Whether the carrier offers less than is wanted."""
        return len(self.candidates) < min(self.quantity, MOST_OFFERS)

    @property
    def wants_address(self) -> bool:
        return any(candidate.address_required not in {"none", ""} for candidate in self.candidates)


def lay_out(plan: Plan, market: Market) -> OrderPlanView:
    """Ask the market what it has for a plan; raises what the market raises."""
    order = plan.order
    price = market.price(plan.search) if plan.knows_country else None
    return OrderPlanView(
        order_id=None if plan.is_new else order.id,
        quantity=order.quantity,
        campaign_id=order.campaign_id,
        group_id=order.group_id,
        destination=plan.destination,
        candidates=_candidates(plan, market),
        names=list(plan.names),
        price=_spelled(price, 1),
        monthly=_spelled(price, order.quantity),
        currency=None if price is None else price.currency,
    )


def _candidates(plan: Plan, market: Market) -> list[CandidateView]:
    order = plan.order
    if named := numbers_of(order):
        return [
            _candidate(name_of(order, place, number), number) for place, number in enumerate(named, start=1)
        ]
    offers = market.offers(plan.search, min(order.quantity, MOST_OFFERS))
    return [
        _candidate(name_of(order, place, offer.number), offer.number, offer)
        for place, offer in enumerate(offers, start=1)
    ]


def _candidate(name: str, number: PhoneNumber, offer: Offered | None = None) -> CandidateView:
    return CandidateView(
        number=number,
        name=name,
        locality="" if offer is None else offer.locality,
        region="" if offer is None else offer.region,
        address_required="" if offer is None else offer.address_required,
    )


def _spelled(price: Priced | None, quantity: int) -> str | None:
    return None if price is None else str(Decimal(price.amount) * quantity)

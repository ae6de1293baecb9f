"""`/api/v1/available-numbers`."""

from typing import Any

from admin.access.gate import current_actor
from admin.api.operations import Resource
from admin.number_search import Market, OfferFilters, OfferView, search
from admin.views import Page

OFFER: dict[str, Any] = {
    "number": "+14155550142",
    "locality": "San Francisco",
    "region": "CA",
    "country": "US",
    "address_required": "none",
    "price": "1.15",
    "currency": "USD",
}


def available_numbers(market: Market) -> Resource:
    resource = Resource(
        "available-numbers",
        "Available numbers",
        "What the carrier has for sale right now. Nothing is held back: what is shown here may be gone "
        "when it is ordered.",
    )

    @resource.get(
        "",
        query=OfferFilters,
        answers=Page[OfferView],
        alone=True,
        asks_carrier=True,
        example={"items": [OFFER], "next_cursor": None, "total": None},
    )
    def search_available_numbers(query: dict[str, object]) -> Page[OfferView]:
        """Search numbers that can be bought, with their price a month where the carrier says so.

        The answer has no further pages: ask for less. 409: no carrier is set up, or it does not do this.
        """
        return Page(items=search(market, current_actor(), query))

    return resource

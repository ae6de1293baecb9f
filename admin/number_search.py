"""Which numbers somebody would like to have, and what the carrier offers."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, Protocol

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from admin.access.actor import Actor
from admin.drafts import Draft, Line, Phone, Reading
from admin.views import View
from routing.numbers import PhoneNumber

MOST_OFFERS = 200

Kind = Literal["local", "toll-free", "mobile"]


def _country(value: object) -> object:
    if isinstance(value, str) and re.fullmatch("[A-Za-z]{2}", value.strip(), re.ASCII):
        return value.strip().upper()
    raise PydanticCustomError("country", "a country is two letters, such as US")


def _contained(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9*]{2,16}", value.strip(), re.ASCII):
        return value.strip()
    raise PydanticCustomError("contains", "2 to 16 digits; * stands for any digit")


def _area_code(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{2,5}", value.strip(), re.ASCII):
        return value.strip()
    raise PydanticCustomError("area_code", "an area code is 2 to 5 digits, such as 415")


class Search(Draft):
    """What a number must be like; what is not sent does not matter."""

    country: Annotated[
        str | None, BeforeValidator(_country), Field(description="ISO 3166-1; group's own")
    ] = None
    kind: Kind = "local"
    area_code: Annotated[str | None, BeforeValidator(_area_code)] = None
    contains: Annotated[str | None, BeforeValidator(_contained)] = None
    region: Annotated[Line | None, Field(description="a state or province, such as CA")] = None
    near: Annotated[Phone | None, Field(description="a number in whose neighbourhood it shall be")] = None


class Offered(Protocol):
    """A number that can be bought now."""

    @property
    def number(self) -> PhoneNumber: ...
    @property
    def locality(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def country(self) -> str: ...
    @property
    def address_required(self) -> str: ...


class Priced(Protocol):
    """What a number costs a month."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...


class Market(Protocol):
    """A carrier that sells numbers.

    To operators of page and API it raises `CarrierRefuses` and `CarrierAway`, to commands errors of its
    own, which they word.
    """

    @property
    def name(self) -> str: ...
    def check_open(self) -> None:
        """Raise `CarrierRefuses` where nothing can be bought."""

    def offers(self, wanted: Search, limit: int) -> Sequence[Offered]: ...
    def price(self, wanted: Search) -> Priced | None: ...


class OfferView(View):
    """A number that can be bought now, and what it costs a month where the carrier says so."""

    number: Phone
    locality: str
    region: str
    country: str
    address_required: Annotated[str, Field(description="none, any, local or foreign")]
    price: str | None
    currency: str | None


class OfferFilters(Search):
    """A search in an address or a form, where all is text."""

    model_config = ConfigDict(strict=False)

    limit: Annotated[int, Field(ge=1, le=MOST_OFFERS)] = 20


def search(market: Market, actor: Actor, raw: object) -> list[OfferView]:
    """What the carrier offers for an `OfferFilters`; raise `Invalid`, `NotAllowed`, what `market` raises."""
    actor.require_writing()
    reading = Reading()
    wanted = reading.read(OfferFilters, raw)
    if wanted.sent.get("country") is None and not reading.has_error("country"):
        reading.add("country", "is mandatory, such as US")
    reading.finish()
    offers = market.offers(wanted, wanted.limit)
    price = market.price(wanted) if offers else None
    return [
        OfferView(
            number=offer.number,
            locality=offer.locality,
            region=offer.region,
            country=offer.country,
            address_required=offer.address_required,
            price=None if price is None else str(price.amount),
            currency=None if price is None else price.currency,
        )
        for offer in offers
    ]

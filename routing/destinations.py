"""Numbers that no call may be connected to: they cost the caller, or us, far more than a call.

Fraudsters live on such numbers, so a destination is checked when it is saved and again when it is
dialled. Emergency numbers and short codes never get here: they are no E.164 numbers.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

from routing.numbers import PhoneNumber

_UNFIT_KINDS = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.UAN: "a company-wide number that may cost extra",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which is charged like premium rate",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voicemail box",
}
# ITU-T E.164.D: codes shared by satellite and global service providers, favourites of toll fraud.
_UNFIT_CODES = frozenset({870, 878, 881, 882, 883, 888, 979})


_NANP = "1"
_NORTH_AMERICA = frozenset({"US", "CA"})


class UnfitDestination(ValueError):
    """A destination is refused; the message says why, never the number."""


class UnknownCountry(ValueError):
    """A list of countries names something else; the message says what one looks like."""


class _Known(NamedTuple):
    """What its digits tell of a number."""

    unfit: str | None
    calling_code: str
    country: str | None


def unfit_because(
    destination: PhoneNumber,
    dialled: PhoneNumber | None = None,
    countries: tuple[str, ...] | None = None,
) -> str | None:
    """Why `destination` must not be dialled, in words that follow "is", or None where it may be.

    `countries` are those that are allowed; without such a list the calling code has to be that of
    the tracking number `dialled`, and of `+1` the United States, Canada, or the number's own country.
    With neither the country does not matter. A number of no known kind may be dialled: numbering
    plans grow faster than the data about them.
    """
    known = _known(destination)
    if known.unfit is not None:
        return known.unfit
    if countries is not None:
        return None if known.country in countries else "in a country that the group does not allow"
    if dialled is None or _are_neighbours(dialled, known):
        return None
    return "in another country than the tracking number, and the group allows none by name"


def refuse_unfit(
    destination: PhoneNumber,
    dialled: PhoneNumber | None = None,
    countries: tuple[str, ...] | None = None,
) -> None:
    """Raise `UnfitDestination` for a number that must not be dialled; see `unfit_because`."""
    reason = unfit_because(destination, dialled, countries)
    if reason is not None:
        raise UnfitDestination(f"the destination is {reason}; name a number that rings at ordinary cost")


def countries_in(codes: Iterable[str]) -> tuple[str, ...]:
    """A list of countries in the order of the alphabet, each once; raise `UnknownCountry`."""
    countries = sorted({code.strip().upper() for code in codes})
    if not countries or not phonenumbers.SUPPORTED_REGIONS.issuperset(countries):
        raise UnknownCountry("countries are ISO 3166 codes of two letters, such as US,CA,GB")
    return tuple(countries)


def _are_neighbours(dialled: PhoneNumber, destination: _Known) -> bool:
    # No calling code begins like another, so that the dialled number need not be parsed.
    if not dialled.digits.startswith(destination.calling_code):
        return False
    if destination.calling_code != _NANP or destination.country in _NORTH_AMERICA:
        return True
    # The Caribbean shares the code and is a favourite of toll fraud: only its own numbers lead there.
    return _known(dialled).country == destination.country


@lru_cache(maxsize=8192)
def _known(number: PhoneNumber) -> _Known:
    try:
        parsed = phonenumbers.parse(number.e164)
    except phonenumbers.NumberParseException:
        return _Known("not a number of any country", "", None)
    code = parsed.country_code or 0
    if code in _UNFIT_CODES:
        return _Known("a satellite or global service number", str(code), None)
    # A number that is newer than the data counts as one of the code's main country.
    country = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)
    return _Known(_UNFIT_KINDS.get(phonenumbers.number_type(parsed)), str(code), country)

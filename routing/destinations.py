"""Numbers that no call may be connected to: they cost the caller, or us, far more than a call.

Fraudsters live on such numbers, so a destination is checked when it is saved and again when it is
dialled. Emergency numbers and short codes never get here: they are no E.164 numbers.
"""

from functools import lru_cache

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


class UnfitDestination(ValueError):
    """A destination is refused; the message says why, never the number."""


@lru_cache(maxsize=8192)
def unfit_because(destination: PhoneNumber) -> str | None:
    """Why `destination` must not be dialled, in words that follow "is", or None where it may be.

    A number of no known kind may be: numbering plans grow faster than the data about them.
    """
    try:
        number = phonenumbers.parse(destination.e164)
    except phonenumbers.NumberParseException:
        return "not a number of any country"
    if number.country_code in _UNFIT_CODES:
        return "a satellite or global service number"
    return _UNFIT_KINDS.get(phonenumbers.number_type(number))


def refuse_unfit(destination: PhoneNumber) -> None:
    """Raise `UnfitDestination` for a number that must not be dialled."""
    reason = unfit_because(destination)
    if reason is not None:
        raise UnfitDestination(f"the destination is {reason}; name a number that rings at ordinary cost")

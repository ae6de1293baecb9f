"""Phone numbers in E.164, parsed once at the door and masked wherever they are printed."""

import re
from typing import Self

from msgspec import Struct

# ITU-T E.164: at most 15 digits, the country code never starts with 0.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = str.maketrans("", "", " \t-.()/")
_LONGEST_SPELLING = 64

# What carriers send as digits when the caller withheld the number: words spelled on the keypad.
# They look like E.164 and must not become one shared "caller".
KEYPAD_WORDS = frozenset(
    {
        "+266696687",  # ANONYMOUS
        "+86282452253",  # UNAVAILABLE (cut to what a keypad takes)
        "+8656696",  # UNKNOWN
        "+2562533",  # BLOCKED
        "+7378742833",  # RESTRICTED
    }
)


class NotE164(ValueError):
    """The text is no E.164 number; the message says what one looks like, never the text itself."""


class PhoneNumber(Struct, frozen=True, order=True):
    """One E.164 number, such as `+14155550100`.

    Printing it shows the masked form, so that a number cannot reach a log by accident;
    `e164` is the number itself.
    """

    e164: str

    def __post_init__(self) -> None:
        if not _E164.fullmatch(self.e164):
            raise NotE164("a phone number looks like +14155550100: a plus sign, then 7 to 15 digits")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read E.164 with or without spaces, dots, dashes and brackets; raise `NotE164` otherwise."""
        return cls(text.strip().translate(_PUNCTUATION))

    @property
    def digits(self) -> str:
        return self.e164[1:]

    @property
    def masked(self) -> str:
        """`+1415•••0100`: enough to recognise a number one knows, not enough to dial it."""
        return mask(self.e164)

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"


def mask(e164: str) -> str:
    """Hide the three digits before the last four."""
    return f"{e164[:-7]}•••{e164[-4:]}"


def dialled_number(text: str) -> PhoneNumber | None:
    """The tracking number that a carrier says was dialled, or None where it names no E.164 number.

    Reads `+1 415 555-0100` and `sip:+14155550100@example.com`. A national form is not completed:
    guessing the country could ring another customer's campaign.
    """
    if len(text) > _LONGEST_SPELLING * 4:
        return None
    return _number_in(text)


def caller_number(text: str) -> PhoneNumber | None:
    """The caller, or None where the number was withheld or is none (`anonymous`, `client:joe`)."""
    if len(text) > _LONGEST_SPELLING * 4:
        return None
    number = _number_in(text)
    return None if number is None or number.e164 in KEYPAD_WORDS else number


def _number_in(text: str) -> PhoneNumber | None:
    try:
        return PhoneNumber(text)
    except NotE164:
        pass  # perhaps in another spelling
    scheme, colon, address = text.strip().partition(":")
    if colon and scheme.lower() in {"sip", "sips", "tel"}:
        text = address.partition("@")[0].partition(";")[0]
    try:
        return PhoneNumber.parse(text)
    except NotE164:
        return None

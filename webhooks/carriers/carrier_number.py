"""Numbers as a carrier sells and keeps them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from routing.numbers import PhoneNumber

NumberType = Literal["local", "toll-free", "mobile"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which numbers are looked for; what is None does not matter."""

    country: str
    """ISO 3166-1, two letters."""
    kind: NumberType = "local"
    area_code: str | None = None
    contains: str | None = None
    """Digits, and `*` for any digit."""
    region: str | None = None
    """A state or province."""
    near: PhoneNumber | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that can be bought now; an offer holds nothing back."""

    number: PhoneNumber
    locality: str
    region: str
    country: str
    address_required: str
    """`none`, `any`, `local` or `foreign`."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a number costs a month."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class VoiceAddresses:
    """Where the carrier asks what to do with a call of a number, and tells how it went; always by POST."""

    voice: str
    fallback: str
    status: str


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number of the account as the carrier has it."""

    number: PhoneNumber
    sid: str
    label: str
    """What the carrier's console calls it."""
    addresses: VoiceAddresses
    methods: tuple[str, str, str] = field(default=("POST", "POST", "POST"))
    application: str = ""
    """An application that answers instead of the voice address; empty: none."""
    trunk: str = ""
    """A trunk that gets the calls instead; empty: none."""

    def differs_from(self, wanted: VoiceAddresses) -> tuple[str, ...]:
        """Which of `voice`, `fallback` and `status` are not as wanted.

        What follows a `#` is advice to the carrier on time-outs, which an operator may have tuned.
        """
        have = (self.addresses.voice, self.addresses.fallback, self.addresses.status)
        want = (wanted.voice, wanted.fallback, wanted.status)
        return tuple(
            name
            for name, is_there, should, method in zip(_NAMES, have, want, self.methods, strict=True)
            if is_there.partition("#")[0] != should.partition("#")[0] or method != "POST"
        )

    def is_answered_by(self, wanted: VoiceAddresses) -> bool:
        """Whether calls come to us, as wanted, and nothing keeps them away."""
        return not (self.differs_from(wanted) or self.application or self.trunk)


_NAMES = ("voice", "fallback", "status")

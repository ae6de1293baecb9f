"""What can be wrong with a number between the carrier, the database and the index, and what to do."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from routing.numbers import PhoneNumber


class Kind(StrEnum):
    NOT_OWNED = "routed, not owned"
    WRONG_ADDRESS = "wrong address"
    DIVERTED = "diverted"
    OTHER_SID = "other SID"
    INDEX = "index differs"
    NOT_OURS = "not ours"
    RELEASED = "paid, released"
    UNFINISHED = "order unfinished"
    UNUSED = "paid, unused"
    LITTLE_USED = "may be taken back"


HARMLESS = frozenset({Kind.NOT_OURS, Kind.RELEASED, Kind.UNFINISHED, Kind.UNUSED, Kind.LITTLE_USED})
"""They cost money or will; calls go where they should."""

ADVICE = {
    Kind.NOT_OWNED: "the carrier does not have it: nobody can dial it; buy it again, or release it here",
    Kind.WRONG_ADDRESS: "--apply points it here",
    Kind.DIVERTED: "its voice address is ignored; --apply --detach takes the application or trunk away",
    Kind.OTHER_SID: "--apply writes down the carrier's SID",
    Kind.INDEX: "--apply writes it into the index again",
    Kind.NOT_OURS: "nobody here holds it: import it, or give it back in the carrier's console",
    Kind.RELEASED: "it was released here and is still paid: `hookswitch numbers release` gives it back",
    Kind.UNFINISHED: "it was bought for an order that was interrupted: run the same command again",
    Kind.UNUSED: "assign it to a campaign, or release it",
    Kind.LITTLE_USED: "the carrier may reclaim it: it counts calls of 12 s or more, and wants three a month",
}


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that is wrong with one number."""

    number: PhoneNumber
    kind: Kind
    detail: str = ""
    mended: bool = False

    def as_mended(self, *, done: bool, detail: str = "") -> Self:
        """What became of it when it was to be mended and was read back."""
        return replace(self, mended=done, detail=self.detail if done else detail or self.detail)

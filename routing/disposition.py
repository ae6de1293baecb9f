"""How a call ended, and whose word on it counts more."""

from enum import IntEnum, StrEnum


class Disposition(StrEnum):
    """The end of a call; every one of them is final. Twilio's and our words are the same."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"


class Witness(IntEnum):
    """Who says how the call ended; the greater one knows better.

    A caller's own leg that completed says nothing about whether the business answered; a leg to the
    business knows of itself alone; the end of the `<Dial>` sums all its legs up.
    """

    CALL = 1
    LEG = 2
    DIAL = 3


_BEST_FIRST = tuple(Disposition)
_STEP = 10


def rank(witness: Witness, disposition: Disposition) -> int:
    """The weight of a word: by witness, then completed > busy > no-answer > failed > canceled.

    Of two words on one call the heavier stays, in whatever order they come. Between 11 and 35; stored
    with each call, so the numbers are for ever.
    """
    return witness * _STEP + len(_BEST_FIRST) - _BEST_FIRST.index(disposition)


def witness_of(rank: int | None) -> Witness | None:
    """Who said a word of this `rank`; None where nobody said anything yet."""
    return None if rank is None else Witness(rank // _STEP)


def disposition_of(word: str) -> Disposition | None:
    """Read a carrier's word; None where it names no end of a call, or one that we do not know."""
    try:
        return Disposition(word)
    except ValueError:
        return None

"""What a use case answers when it cannot do what it was asked; each door words it once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, in words that say what to do."""

    field: str
    message: str


class Refusal(Exception):
    """The base of them all; nothing was changed."""


class Invalid(Refusal):
    """The draft is wrong; `errors` holds everything that is, never empty."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotSignedIn(Refusal):
    """No credentials, wrong ones, or something is still due; the message says what, never why."""


class Forged(Refusal):
    """A browser sent it, but not from our own page."""


class TryLater(Refusal):
    """It failed too often lately; after `seconds` it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts; try again in {seconds} seconds")
        self.seconds = seconds


class NotThere(Refusal):
    """It does not exist, or not in the subtree of who asks: the two cannot be told apart."""


class NotAllowed(Refusal):
    """Who asks may see it and may not do this; the message says who may."""


class Conflict(Refusal):
    """It stands against something that is there, such as a number that is held already."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class CarrierRefuses(Refusal):
    """The carrier does not do it, or is not asked at all; the message says what is missing."""


class CarrierAway(Refusal):
    """The carrier gives no answer that can be used; worth another try."""


class Stale(Refusal):
    """It was changed since it was read; `revision` is the one in force."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"it was changed meanwhile; read it again, its revision is {revision}")
        self.revision = revision

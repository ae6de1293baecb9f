"""A call together with what it was routed on: enough to decide again and get the same answer."""

from enum import StrEnum

from msgspec import Struct

from routing.call import InboundCall
from routing.decision import Apologise, Decision
from routing.policy import decide
from routing.route import Route


class Source(StrEnum):
    """Where the facts of a call were read."""

    INDEX = "index"
    DATABASE = "database"
    SNAPSHOT = "snapshot"
    """This host's last-known copy; neither index nor database answered."""
    REQUEST = "request"
    """The request itself: what was dialled is no phone number, so there was nothing to look up."""
    NONE = "none"
    """Nowhere: neither store answered, the caller heard an apology."""


class FactsUnavailable(Exception):
    """The truth cannot be read at the moment; says nothing about the number."""


class Arrival(Struct, frozen=True):
    """`route` None: the number is unknown, or (`source` NONE) nothing is known of it."""

    call: InboundCall
    route: Route | None
    source: Source

    @property
    def decision(self) -> Decision:
        if self.source is Source.NONE:
            return Apologise()
        return decide(self.route, self.call.received_at)

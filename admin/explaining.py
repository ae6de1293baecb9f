"""Explain what a number gets at an instant, from the facts that a call would be routed on."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import redis

from routing.arrival import Arrival, FactsUnavailable, Source
from routing.call import InboundCall
from routing.explanation import Explanation, explain
from routing.index.lookup import CampaignIndex, Miss
from routing.numbers import PhoneNumber
from routing.route import Route


class Explainer:
    """Looks where a call would look: into the index, then into the database.

    `load` raises `FactsUnavailable` where the database does not answer.
    """

    def __init__(self, index: CampaignIndex, load: Callable[[PhoneNumber], Route | None]) -> None:
        self._index = index
        self._load = load

    def explain(self, number: PhoneNumber, at: datetime) -> Explanation:
        """The decision on a call of `number` at the aware instant `at`; no call is made."""
        call = InboundCall("explain", "none", at, number)
        found: Route | Miss | None = None
        with suppress(redis.RedisError):  # a call asks the database then, and so do we
            found = self._index.route_of(number)
        if isinstance(found, Route):
            return explain(Arrival(call, found, Source.INDEX))
        try:
            return explain(Arrival(call, self._load(number), Source.DATABASE))
        except FactsUnavailable:
            # As for a call: a whole index that does not list the number is a fact; no index is none.
            return explain(Arrival(call, None, Source.INDEX if found is Miss.NOT_LISTED else Source.NONE))

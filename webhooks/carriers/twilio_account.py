"""Our account at Twilio, over its REST API. Slow to import: for the worker and for commands only."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from webhooks.carriers.carrier_call import CarrierCall
from webhooks.carriers.errors import Malformed
from webhooks.carriers.twilio_records import Record, call_in, is_inbound, is_leg
from webhooks.carriers.twilio_rest import NO_SUCH_RESOURCE, NOT_FOUND, TwilioRest, right

log = structlog.get_logger()

_PAGE = 1000
"""Records; the most that Twilio gives at once."""


class TwilioRestAccount:
    """Asks the account; every method raises `CarrierUnavailable` and `CredentialsRefused`."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        trust_environment: bool = True,
    ) -> None:
        self._rest = TwilioRest(
            account_sid, auth_token, base_url, pause=pause, trust_environment=trust_environment
        )
        self._lately: dict[str, list[CarrierCall]] = {}

    def calls(self, since: datetime, until: datetime) -> Iterator[Sequence[CarrierCall]]:
        """The callers' calls that began in [`since`, `until`), a page at a time; aware UTC.

        A page may be empty: legs and calls of other kinds come in the same list. Twilio documents its
        filters by the day, `StartTime<=` up to the midnight at which a day begins, and takes instants
        as well: what is asked for is right in both readings, and what is too much is left out here.
        """
        midnight = (until + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        # `StartTime>` with the `=` that joins it to its value is Twilio's `StartTime>=`.
        wanted = {"StartTime>": _stamp(since), "StartTime<": _stamp(midnight), "PageSize": _PAGE}
        before: list[CarrierCall] = []
        for records in self._rest.pages(f"{self._rest.account}/Calls.json", "calls", wanted):
            legs = [leg for leg in _readable(filter(is_leg, records)) if leg.ended_at is not None]
            self._lately = _by_call([*before, *legs])
            before = legs
            yield [call for call in _readable(filter(is_inbound, records)) if since <= call.began_at < until]
        self._lately = {}

    def legs_of(self, call_sid: str) -> Sequence[CarrierCall]:
        """The legs to the business that a call has, or had.

        A `<Dial>` of ours rings one number, and its leg stands beside its call in the list: the
        carrier is asked only where it was not in this page or the one before, or had not ended.
        """
        if lately := self._lately.get(call_sid):
            return lately
        wanted = {"ParentCallSid": call_sid, "PageSize": _PAGE}
        pages = self._rest.pages(f"{self._rest.account}/Calls.json", "calls", wanted)
        return [leg for records in pages for leg in _readable(records) if leg.parent_sid == call_sid]

    def call(self, call_sid: str) -> CarrierCall | None:
        """One call; None where the account does not have it. Raises `Malformed` too."""
        status, answer = self._rest.ask(f"{self._rest.account}/Calls/{call_sid}.json")
        if status == NOT_FOUND and answer.get("code") == NO_SUCH_RESOURCE:
            return None
        return call_in(right(status, answer))


def _readable(records: Iterable[Record]) -> Iterator[CarrierCall]:
    for record in records:
        try:
            yield call_in(record)
        except Malformed as error:
            log.warning("carrier.unreadable_record", error=str(error))


def _by_call(legs: list[CarrierCall]) -> dict[str, list[CarrierCall]]:
    found: dict[str, list[CarrierCall]] = {}
    for leg in legs:
        found.setdefault(leg.parent_sid or "", []).append(leg)
    return found


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Our account at Twilio, over its REST API. Slow to import: for the worker and for commands only."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from twilio.rest import Client

from webhooks.carriers.carrier_call import CarrierCall
from webhooks.carriers.errors import CarrierUnavailable, Malformed
from webhooks.carriers.twilio_http import PatientHttpClient
from webhooks.carriers.twilio_records import Record, call_in, is_inbound, is_leg

log = structlog.get_logger()

_PAGE = 1000
"""Records; the most that Twilio gives at once."""
_OK = 200
_NOT_FOUND = 404
_NO_SUCH_RESOURCE = 20404
"""Twilio's own code: without it a 404 comes from somebody else, such as a proxy on the way."""


class TwilioRestAccount:
    """Asks the account; every method raises `CarrierUnavailable` and `CredentialsRefused`.

    Records are read as JSON, not as the helper library's instances: those make nothing of a date
    that they cannot read, and fall over a record that is none.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        trust_environment: bool = True,
    ) -> None:
        http = PatientHttpClient(base_url, pause=pause, trust_environment=trust_environment)
        # The library would let TWILIO_EDGE and TWILIO_REGION change the address that our setting names.
        self._client = Client(account_sid, auth_token, http_client=http, environment={"TWILIO_EDGE": ""})
        self._client.api.base_url = base_url
        self._base_url = base_url
        self._lately: dict[str, list[CarrierCall]] = {}
        self._account = f"/2010-04-01/Accounts/{account_sid}"

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
        for records in self._pages(f"{self._account}/Calls.json", "calls", wanted):
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
        pages = self._pages(f"{self._account}/Calls.json", "calls", wanted)
        return [leg for records in pages for leg in _readable(records) if leg.parent_sid == call_sid]

    def call(self, call_sid: str) -> CarrierCall | None:
        """One call; None where the account does not have it. Raises `Malformed` too."""
        status, answer = self._ask(f"{self._account}/Calls/{call_sid}.json")
        if status == _NOT_FOUND and answer.get("code") == _NO_SUCH_RESOURCE:
            return None
        return call_in(_right(status, answer))

    def _pages(self, path: str, name: str, wanted: dict[str, object] | None) -> Iterator[list[Record]]:
        """Each page of a list: the records under `name`."""
        following: object = path
        while isinstance(following, str) and following:
            page = _right(*self._ask(following, wanted))
            records = page.get(name)
            if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
                raise CarrierUnavailable("answers with something else than a list")
            yield records
            # The address of the next page has all that was wanted in it.
            before, following, wanted = following, page.get("next_page_uri"), None
            if following == before:
                raise CarrierUnavailable("gives the same page again and again")

    def _ask(self, path: str, wanted: dict[str, object] | None = None) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object that `path` answers with."""
        answer = self._client.request("GET", f"{self._base_url}/{path.lstrip('/')}", params=wanted)
        try:
            read = json.loads(answer.text)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return answer.status_code, read
        if answer.status_code == _OK:
            raise CarrierUnavailable("answers with something else than JSON")
        raise CarrierUnavailable(f"answers {answer.status_code}")


def _right(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status != _OK:
        raise CarrierUnavailable(f"answers {status}")
    return answer


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

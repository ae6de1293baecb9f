"""One account's resources at Twilio's REST API: ask, ask page by page, change. Slow to import."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.rest import Client

from webhooks.carriers.errors import CarrierUnavailable
from webhooks.carriers.twilio_http import PatientHttpClient

Record = dict[str, Any]
OK = range(200, 300)
_NO_CONTENT = 204
NOT_FOUND = 404
NO_SUCH_RESOURCE = 20404
"""Twilio's own code: without it a 404 comes from somebody else, such as a proxy on the way."""


class TwilioRest:
    """Every method raises `CarrierUnavailable` and `CredentialsRefused`.

    Answers are read as JSON, not as the helper library's instances: those make nothing of a date that
    they cannot read, and fall over a record that is none.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        trust_environment: bool = True,
        timeout: float | None = None,
    ) -> None:
        http = PatientHttpClient(base_url, pause=pause, trust_environment=trust_environment, wait=timeout)
        # Whole addresses are asked for: nothing of the library's hundred resources has to be loaded. It would
        # let TWILIO_EDGE and TWILIO_REGION change the address that our setting names.
        self._client = Client(account_sid, auth_token, http_client=http, environment={"TWILIO_EDGE": ""})
        self._base_url = base_url
        self.account = f"/2010-04-01/Accounts/{account_sid}"

    def ask(self, path: str, wanted: dict[str, object] | None = None) -> tuple[int, Record]:
        """The status and the JSON object that `path` answers with."""
        return self._send("GET", path, wanted, None)

    def change(self, path: str, said: dict[str, object] | None = None) -> tuple[int, Record]:
        """POST `said` as a form; a `CarrierUnavailable` leaves open whether it was done."""
        return self._send("POST", path, None, said or {})

    def remove(self, path: str) -> tuple[int, Record]:
        return self._send("DELETE", path, None, None)

    def pages(self, path: str, name: str, wanted: dict[str, object] | None) -> Iterator[list[Record]]:
        """Each page of a list: the records under `name`."""
        following: object = path
        while isinstance(following, str) and following:
            page = right(*self.ask(following, wanted))
            records = page.get(name)
            if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
                raise CarrierUnavailable("answers with something else than a list")
            yield records
            # The address of the next page has all that was wanted in it.
            before, following, wanted = following, page.get("next_page_uri"), None
            if following == before:
                raise CarrierUnavailable("gives the same page again and again")

    def _send(
        self, method: str, path: str, wanted: dict[str, object] | None, said: dict[str, object] | None
    ) -> tuple[int, Record]:
        url = f"{self._base_url}/{path.lstrip('/')}"
        answer = self._client.request(method, url, params=wanted, data=said)
        if answer.status_code == _NO_CONTENT:
            return answer.status_code, {}
        try:
            read = json.loads(answer.text)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return answer.status_code, read
        if answer.status_code in OK:
            raise CarrierUnavailable("answers with something else than JSON")
        raise CarrierUnavailable(f"answers {answer.status_code}")


def right(status: int, answer: Record) -> Record:
    """The answer, if the request was done; raise `CarrierUnavailable`."""
    if status not in OK:
        raise CarrierUnavailable(f"answers {status}")
    return answer


def other_domain(base_url: str, domain: str) -> str:
    """Where Twilio keeps the API `domain`, such as `pricing`, if `base_url` is Twilio's own; else `base_url`.

    A stand-in or a proxy has all of them under one address.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if not host.startswith("api.") or not host.endswith(".twilio.com"):
        return base_url
    return urlunsplit((parts.scheme, domain + host[len("api") :], "", "", ""))

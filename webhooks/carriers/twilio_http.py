"""How we speak to Twilio's REST API: in bounded time, with patience for a busy server, to no other host."""

import json
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused
from webhooks.carriers.reading import chunks

TIMEOUT = 10.0
"""Seconds for a connection, and for each read."""
_WHOLE_ANSWER = 60.0
"""Seconds; for who waits less long it is the same for all."""
_LONGEST_BODY = 32 * 1024 * 1024
"""Bytes; a page of 1,000 calls has about 1.5 MB."""

TRIES = 5
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
"""Seconds; a carrier that wants us to wait longer is asked again by the next run."""
_TOO_MANY_REQUESTS = requests.codes.too_many_requests
_BUSY = (_TOO_MANY_REQUESTS, requests.codes.service_unavailable)


class PatientHttpClient(TwilioHttpClient):  # type: ignore[misc]  # published without types
    """What the helper library sends its requests with; its own has no time-out and never tries again.

    A request that got 429 was never processed (twilio.com/docs/api/errors/20429), so it is sent
    again; after 503, a time-out or a broken connection only what changes nothing is. Pauses double,
    with jitter, or are as long as `Retry-After` says. Raises `CarrierUnavailable` after five tries
    and `CredentialsRefused`; every other answer is the library's to read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        trust_environment: bool = True,
        wait: float | None = None,
    ) -> None:
        """`pause` waits so many seconds; `trust_environment`: whether its proxies are used.

        `wait`: seconds for one answer, if somebody sits before it; None: as long as a worker waits.
        """
        super().__init__(timeout=wait or TIMEOUT)
        self._wait = wait
        self.session.trust_env = trust_environment
        self._origin = urlsplit(base_url)[:2]
        self._pause = pause

    def request(  # noqa: PLR0917 - as the helper library calls it
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002
    ) -> Response:
        del allow_redirects  # our token is good for one host
        if urlsplit(url)[:2] != self._origin:  # addresses of further pages come out of answers
            raise CarrierUnavailable("names an address that is not its own")
        sending = {"method": method, "url": url, "params": params, "data": data, "headers": headers}
        for attempt in range(1, TRIES + 1):
            wanted = 0.0
            try:
                answer = self._send(**sending, auth=auth, timeout=timeout or self._wait or TIMEOUT)
            except requests.RequestException as error:
                told = f"does not answer ({type(error).__name__})"
                may_repeat = method.upper() == "GET"
            else:
                status = answer.status_code
                if _refuses_credentials(answer):
                    raise CredentialsRefused
                if status not in _BUSY:
                    return answer
                told = f"answers {status}"
                may_repeat = method.upper() == "GET" or status == _TOO_MANY_REQUESTS
                wanted = _retry_after(answer.headers.get("Retry-After", ""))
            if not may_repeat or attempt == TRIES or wanted > _LONGEST_PAUSE:
                raise CarrierUnavailable(told)
            self._pause(max(wanted, _backoff(attempt)))
        raise AssertionError("unreachable")

    def _send(self, **sending: Any) -> Response:  # noqa: ANN401 - what `requests` takes
        with self.session.request(**sending, allow_redirects=False, stream=True) as answer:
            body = b"".join(chunks(answer, seconds=self._wait or _WHOLE_ANSWER, most=_LONGEST_BODY))
            return Response(answer.status_code, body.decode(errors="replace"), answer.headers)


def _refuses_credentials(answer: Response) -> bool:
    """Whether it is about the account and its token.

    A 403 may also be about what was asked for: then its code is none of the 2xxxx that are about access.
    """
    if answer.status_code != requests.codes.forbidden:
        return bool(answer.status_code == requests.codes.unauthorized)
    try:
        return json.loads(answer.text)["code"] in range(20000, 21000)
    except (ValueError, LookupError, TypeError, RecursionError):
        return True


def _backoff(attempt: int) -> float:
    """Half a second, one, two, four; each between its half and its whole, so that workers part ways."""
    whole: float = _FIRST_PAUSE * 2 ** (attempt - 1)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret


def _retry_after(text: str) -> float:
    """Seconds that a server wants to be left alone for; it says so in seconds or as a date."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0

"""Fetch a recording of a call, with our token, from Twilio and from nowhere else.

The address of a recording comes in a webhook and lies in a database; whoever could change it there
must not get our token, nor make us ask machines that only we can reach.
"""

import re
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused
from webhooks.carriers.reading import TooMuch, chunks

# Spelled so plainly that no two readers of addresses can see different hosts in it.
_PLAIN = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?:[a-z0-9-]+\.)*twilio\.com(?::443)?", re.IGNORECASE)
_TIMEOUT = 10.0
"""Seconds for a connection, and for each read."""
_WHOLE = 600.0
"""Seconds."""
LARGEST = 1024 * 1024 * 1024
"""Bytes. Four hours, the longest dial, in two channels of 16 bit at 8 kHz are 460 MB."""
_MOST_REDIRECTS = 3
_REFUSED = (requests.codes.unauthorized, requests.codes.forbidden)
_NOT_THERE = (requests.codes.not_found, requests.codes.gone)


class ForeignHost(Exception):
    """An address is not the carrier's; nothing was asked for there. The message names the host."""


class RecordingGone(Exception):
    """The carrier does not have the recording, or not any more."""


class TwilioRecordings:
    """Fetches from Twilio's hosts over https, and from the origin of the API where that is another."""

    def __init__(
        self, account_sid: str, auth_token: str, api_base_url: str, *, trust_environment: bool = True
    ) -> None:
        """`trust_environment`: whether the proxies that it names are used."""
        self._credentials = account_sid, auth_token
        self._api = urlsplit(api_base_url)[:2]
        self._trust_environment = trust_environment

    def is_carriers(self, url: str) -> bool:
        """Whether our token may go to this address."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        is_twilios = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None
        return _PLAIN.fullmatch(url) is not None and (is_twilios or parts[:2] == self._api)

    def fetch(self, url: str, out: BinaryIO) -> int:
        """Write the audio to `out` and return its length in bytes.

        Raises `ForeignHost`, `RecordingGone`, `CredentialsRefused` and `CarrierUnavailable`. A
        redirect, as to a storage of Twilio's, is followed within Twilio, and without our token:
        its address opens it.
        """
        credentials: tuple[str, str] | None = self._credentials
        with requests.Session() as session:
            session.trust_env = self._trust_environment
            for _ in range(1 + _MOST_REDIRECTS):
                if not self.is_carriers(url):
                    raise ForeignHost(_host_of(url))
                try:
                    with session.get(
                        url,
                        # Never None: `requests` would look into ~/.netrc.
                        auth=credentials or _without_credentials,
                        timeout=_TIMEOUT,
                        allow_redirects=False,
                        stream=True,
                    ) as answer:
                        if not answer.is_redirect:
                            return _written(answer, out)
                        url = urljoin(url, answer.headers["Location"])
                except TooMuch as error:
                    raise CarrierUnavailable(f"sends more than {LARGEST} bytes") from error
                except (requests.RequestException, ValueError) as error:
                    raise CarrierUnavailable(f"does not answer ({type(error).__name__})") from error
                credentials = None
        raise CarrierUnavailable(f"redirects more than {_MOST_REDIRECTS} times")


def _written(answer: requests.Response, out: BinaryIO) -> int:
    if answer.status_code in _REFUSED:
        raise CredentialsRefused
    if answer.status_code in _NOT_THERE:
        raise RecordingGone
    if answer.status_code != requests.codes.ok:
        raise CarrierUnavailable(f"answers {answer.status_code}")
    return sum(out.write(chunk) for chunk in chunks(answer, seconds=_WHOLE, most=LARGEST))


def _without_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no host"

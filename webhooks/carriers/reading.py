"""Read what a server answers: as a whole within a deadline, and not more than it should be.

A time-out of `requests` covers each read, so that a server which sends a byte now and then could keep
us for ever.
"""

import time
from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError

_CHUNK = 65_536


class TooMuch(requests.RequestException):
    """The body is longer than any that we expect."""


class TooSlow(requests.RequestException):
    """The body did not come within its time."""


def chunks(answer: requests.Response, *, seconds: float, most: int) -> Iterator[bytes]:
    """The body of an answer that was asked for with `stream=True`: at most `most` bytes, in `seconds`.

    Raises `TooMuch`, `TooSlow`, or another `requests.RequestException` where it breaks off.
    """
    deadline = time.monotonic() + seconds
    length = 0
    try:
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            length += len(chunk)
            if length > most:
                raise TooMuch(f"more than {most} bytes")
            if time.monotonic() > deadline:
                raise TooSlow(f"more than {seconds:.0f} s")
            yield chunk
    except HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from error

"""What goes back to a carrier: a few kinds of reply, none of them a web page."""

from http import HTTPStatus

from msgspec import Struct


class Reply(Struct, frozen=True):
    """An HTTP answer; `headers` are complete but for the length."""

    status: HTTPStatus
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Cache-Control", "no-store"),)


_TWIML_HEADERS = (("Content-Type", "text/xml; charset=utf-8"), ("Cache-Control", "no-store"))


def twiml(document: bytes) -> Reply:
    """TwiML for the carrier to act on; it must not be kept, the next call may get another answer."""
    return Reply(HTTPStatus.OK, document, _TWIML_HEADERS)


NOTHING_TO_SAY = Reply(HTTPStatus.NO_CONTENT)
"""What a status callback gets: taken, nothing to do."""
METHOD_NOT_ALLOWED = Reply(
    HTTPStatus.METHOD_NOT_ALLOWED, headers=(("Allow", "POST"), ("Cache-Control", "no-store"))
)
TOO_LARGE = Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
NOT_A_FORM = Reply(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
FORBIDDEN = Reply(HTTPStatus.FORBIDDEN)
MALFORMED = Reply(HTTPStatus.BAD_REQUEST)

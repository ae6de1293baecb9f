"""Yardsticks: the least that a web server and a web framework do for a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from prompts import connect
from routing.decision import Connect
from routing.numbers import PhoneNumber
from scripts.bench.traffic import VOICE_PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


def _document() -> bytes:
    """The TwiML of an ordinary call, as the real application words it."""
    decision = Connect(destination=PhoneNumber("+13005550100"), tracking_number=PhoneNumber("+12005550100"))
    return connect.twiml(decision, caller_withheld=False)


def wsgi() -> "WSGIApplication":
    """Constant bytes from a bare callable: shows that the load generator is not the bottleneck."""
    document = _document()
    headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(document)))]

    def application(_environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [document]

    return application


def flask() -> Flask:
    """The same bytes from a route that does nothing else."""
    document = _document()
    application = Flask(__name__, static_folder=None)

    @application.post(VOICE_PATH)
    def voice() -> Response:
        return Response(document, content_type="text/xml; charset=utf-8")

    return application

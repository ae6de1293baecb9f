"""Home: what an operator needs at nine in the morning."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from flask import Blueprint, Response

from admin import morning, plans
from admin.ui.charts import chart
from admin.ui.frame import Asked, Frame, is_htmx


class Finding(Protocol):
    """What one check of the installation found."""

    @property
    def check(self) -> str: ...
    @property
    def verdict(self) -> str:
        """ok, warning or failed."""

    @property
    def detail(self) -> str: ...
    @property
    def advice(self) -> str: ...


Examine = Callable[[], Iterable[Finding]]


def home(frame: Frame, examine: Examine) -> Blueprint:
    views = Blueprint("home", __name__)

    @views.get("/")
    def show() -> Response:
        # Before the transaction: it has a connection of its own to ask.
        with frame.place():
            found = list(examine())
        with frame.reading() as asked:
            said: dict[str, Any] = {
                "coming": morning.coming(asked.session, asked.actor, asked.now),
                "vain": morning.in_vain(asked.session, asked.actor, asked.now, asked.zone),
                "webhooks": morning.failing_webhooks(asked.session, asked.actor, asked.now),
                "checks": found,
                "wrong": [finding for finding in found if finding.verdict != "ok"],
                "is_host": asked.actor.is_admin and plans.is_of_the_whole_account(asked.session, asked.actor),
            }
            return frame.page(asked, "home/home.html", **said, **_calls(asked))

    @views.get("/home/calls")
    def calls() -> Response:
        """The part that is fetched again and again."""
        with frame.reading() as asked:
            if is_htmx():
                return frame.fragment(asked, "home/calls.html", **_calls(asked))
            return frame.page(asked, "home/calls_alone.html", **_calls(asked))

    return views


def _calls(asked: Asked) -> dict[str, Any]:
    today = morning.calls_today(asked.session, asked.actor, asked.now, asked.zone)
    hours = [(f"{hour:02}:00", tally) for hour, tally in enumerate(today.hours)]
    return {"today": today, "chart": chart(hours)}

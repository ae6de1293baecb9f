"""What is around every page: who is signed in, the menu, the group in the breadcrumb, notices.

Views ask for `reading()` or `writing()`, which give them a session, the actor and the instant, and
answer with `page` (the whole frame) or `fragment` (a piece for htmx).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.access.gate import Gate, current_actor
from admin.desk import Desk
from admin.room import NoRoom, Room
from admin.ui import scope, times
from models.group import Group
from models.user import User

THEME_COOKIE = "hookswitch-theme"
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a signed-in user, with a transaction for it."""

    session: Session
    actor: Actor
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return times.zone_named(self.actor.time_zone)


@dataclass(frozen=True, slots=True)
class MenuItem:
    path: str
    label: str
    icon: str
    under: str = ""
    """Where all of it lies, if not under `path`."""
    for_admins: bool = False

    def is_open(self, path: str) -> bool:
        top = self.under or self.path
        return path == top or (top != "/" and path.startswith(top + "/"))


MENU = (
    MenuItem("/", "Home", "home"),
    MenuItem("/campaigns", "Campaigns", "campaigns"),
    MenuItem("/tracking-numbers", "Tracking numbers", "numbers"),
    MenuItem("/calls", "Calls", "calls"),
    MenuItem("/reports", "Reports", "reports"),
    MenuItem("/prompts", "Prompts", "prompts"),
    MenuItem("/groups", "Groups", "groups"),
    MenuItem("/users", "Users", "users"),
    MenuItem("/settings/tokens", "Settings", "settings", under="/settings"),
)
SETTINGS = (
    MenuItem("/settings/tokens", "API tokens", "key"),
    MenuItem("/settings/blocks", "Block list", "block"),
    MenuItem("/settings/webhooks", "Webhooks", "webhooks", for_admins=True),
    MenuItem("/settings/audit", "Audit log", "history"),
)
"""The tabs of the settings."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the frame says about who looks at it and where he stands in the tree."""

    name: str
    email: str
    role: str
    way: list[Group]
    """From the actor's own group to the chosen one."""

    @property
    def group(self) -> Group:
        return self.way[-1]


class Frame:
    """Joins views with the desk, the gate and the room that operators have."""

    def __init__(self, desk: Desk, gate: Gate, room: Room) -> None:
        self._desk = desk
        self._room = room
        self._download = threading.BoundedSemaphore()
        self.gate = gate

    @property
    def now(self) -> datetime:
        return self._desk.clock()

    @contextmanager
    def reading(self) -> Iterator[Asked]:
        """One snapshot. Raises `NoRoom`, and what the database raises."""
        with self._room.place(), self._desk.reading() as session:
            yield Asked(session, current_actor(), self._desk.clock())

    @contextmanager
    def reading_on(self, asked: Asked) -> Iterator[Asked]:
        """Another snapshot for a request, within `downloading`."""
        with self._desk.reading() as session:
            yield Asked(session, asked.actor, asked.now)

    @contextmanager
    def writing(self) -> Iterator[Asked]:
        """One transaction in the actor's name. Raises as `reading` does."""
        actor = current_actor()
        with self._room.place(), self._desk.writing(actor) as session:
            yield Asked(session, actor, self._desk.clock())

    @contextmanager
    def downloading(self) -> Iterator[None]:
        """A place for as long as a download takes; one at a time, as each keeps a thread. Raises `NoRoom`."""
        if not self._download.acquire(blocking=False):
            raise NoRoom("another download is under way; try again when it is done")
        try:
            with self._room.place():
                yield
        finally:
            self._download.release()

    @contextmanager
    def place(self) -> Iterator[None]:
        """For use cases that open their transactions themselves."""
        with self._room.place():
            yield

    def page(self, asked: Asked, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - templates take anything
        """The whole page, in the frame."""
        return self._rendered(template, status, asked, standing=standing_of(asked), **values)

    def fragment(self, asked: Asked, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - templates take anything
        """A piece of a page, for htmx."""
        return self._rendered(template, status, asked, **values)

    def either(self, asked: Asked, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - templates take anything
        """A template that extends `window.html`: in the frame, or for htmx the window alone."""
        if is_htmx():
            return self.fragment(asked, template, status, **values)
        return self.page(asked, template, status, **values)

    def bare(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - templates take anything
        """A page for whoever is not signed in, or not wholly."""
        return make_response(render_template(template, **values), status)

    def _rendered(self, template: str, status: int, asked: Asked, **values: Any) -> Response:  # noqa: ANN401 - as above
        said = {"asked": asked, "actor": asked.actor, "now": asked.now, "zone": asked.zone}
        answer = make_response(render_template(template, **said, **values), status)
        # A fragment must not come out of the browser's cache where the page belongs.
        answer.vary.add("HX-Request")
        return answer


def standing_of(asked: Asked) -> Standing:
    user = asked.session.get_one(User, asked.actor.user_id)
    return Standing(user.name, user.email, user.role.value, scope.way(asked.session, asked.actor))


def scope_id(asked: Asked) -> int:
    return scope.chosen(asked.session, asked.actor)


def scope_name(asked: Asked) -> str:
    return scope.way(asked.session, asked.actor)[-1].name


def is_htmx() -> bool:
    """Whether a piece of a page is asked for, and not its whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def go_to(path: str) -> Response:
    """Send the browser to another page of ours after a change; under htmx too, as a whole page."""
    if is_htmx():
        return Response(headers={"HX-Redirect": path})
    answer: Response = make_response(redirect(path, 303))
    return answer


def theme() -> str:
    """How this browser wants pages to look."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


def csrf_token(gate: Gate) -> str:
    """What forms of this session send; empty where nobody is signed in."""
    if g.get("identity") is None:
        return ""
    return gate.csrf_token(request.cookies.get(gate.cookie_name, ""))


def local_path(text: str) -> str:
    """An address of ours to go on to, or `/` where it is none."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_ours else "/"

"""How a request becomes an `Actor`: every view is closed unless it says whom else it admits.

Views call `current_actor()`. Who is not signed in is refused before the view by `NotSignedIn`, a
request that some other site made a browser send by `Forged`; the doors word both (401 and 403).
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from admin.access import identity as identities
from admin.access.actor import Actor
from admin.access.address import Network, client_address
from admin.access.credentials import is_sealed, seal
from admin.access.identity import Due, Identity
from admin.access.visitor import Visitor
from admin.desk import Desk
from admin.errors import Forged, NotSignedIn

log = structlog.get_logger()

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
"""The same in a form, whose sender can set no header."""
UNATTENDED_HEADER = "X-Hookswitch-Unattended"
"""A page that asks by itself says so: a screen that nobody looks at must not keep its session alive."""
_CSRF = "csrf"
_A_YEAR = 365 * 24 * 60 * 60
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

View = TypeVar("View", bound=Callable[..., Any])


class Admitted(Enum):
    """Whom a view is open to; without a mark it is `SIGNED_IN`. The value: what may still be due."""

    ANYBODY = None
    """Also without credentials; none are looked at."""
    HALF_SIGNED_IN = frozenset(Due)
    """Also with a session in which the second factor or a new password is still due."""
    BEFORE_NEW_PASSWORD = frozenset({Due.NEW_PASSWORD})
    """Also with a session in which a new password is still due."""
    SIGNED_IN = frozenset[Due]()


def admits(whom: Admitted) -> Callable[[View], View]:
    """Mark a view: `@admits(Admitted.ANYBODY)`, below the decorator that gives it its route."""

    def mark(view: View) -> View:
        view.__dict__["admits"] = whom
        return view

    return mark


def current_identity() -> Identity:
    """Who asks, half signed in or wholly. Raises `NotSignedIn` in a view that is open to anybody."""
    identity: Identity | None = g.get("identity")
    if identity is None:
        raise NotSignedIn("sign in first")
    return identity


def current_actor() -> Actor:
    """Who acts in this request. Raises `NotSignedIn` in a view that is open to anybody."""
    return current_identity().actor


class Gate:
    """Identifies whoever comes to a Flask application. Raises what the database raises."""

    def __init__(
        self, desk: Desk, *, secret_key: str, public_base_url: str, trusted_proxies: Sequence[Network] = ()
    ) -> None:
        self._desk = desk
        self._trusted_proxies = trusted_proxies
        self.secret_key = secret_key
        self._origin = public_base_url
        self.is_https = public_base_url.startswith("https:")
        # The prefix makes browsers refuse a cookie of that name from any other host, path or http.
        self.cookie_name = "__Host-hookswitch" if self.is_https else "hookswitch"
        self._browser_name = f"{self.cookie_name}-browser"

    def guard(self, application: Flask, open_blueprints: Collection[str] = ()) -> None:
        """Stand before all views of the application but those of `open_blueprints`."""
        self._open = frozenset(open_blueprints)
        application.before_request(self._let_in)
        application.after_request(self._note_refusal)

    def csrf_token(self, cookie: str) -> str:
        """What a page of this session sends with every change, in `X-CSRF-Token` or as `csrf_token`."""
        return seal(self.secret_key, _CSRF, cookie)

    def link_to(self, secret: str) -> str:
        """The page that takes a one-time secret; behind the # neither logs nor other sites get it."""
        return f"{self._origin}/password#{secret}"

    def visitor(self) -> Visitor:
        """Who stands at the door with the request in hand."""
        return Visitor(
            address=self.client_address(),
            user_agent="".join(filter(str.isprintable, request.headers.get("User-Agent", ""))),
            cookie=request.cookies.get(self.cookie_name),
            browser=request.cookies.get(self._browser_name),
        )

    def client_address(self) -> str:
        """From where the request in hand comes."""
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
        return client_address(request.remote_addr or "", forwarded, self._trusted_proxies)

    def set_cookies(self, answer: Response, cookie: str, browser: str | None) -> None:
        """Give the browser its session, and the mark that it is known."""
        self._set(answer, self.cookie_name, cookie, None)
        if browser is not None:
            self._set(answer, self._browser_name, browser, _A_YEAR)

    def drop_cookie(self, answer: Response) -> None:
        """Take the session's cookie away; the mark stays."""
        self._set(answer, self.cookie_name, "", 0)

    def _set(self, answer: Response, name: str, value: str, max_age: int | None) -> None:
        answer.set_cookie(
            name, value, max_age=max_age, path="/", secure=self.is_https, httponly=True, samesite="Lax"
        )

    def _let_in(self) -> None:
        if request.routing_exception is not None or request.endpoint is None or self._is_open():
            return
        is_change = request.method not in _READING
        if is_change and "Authorization" not in request.headers:
            self._refuse_other_sites()
        may_be_due = _admitted().value
        if may_be_due is None:
            return
        identity = self._identify()
        if identity is None:
            raise NotSignedIn("sign in, or send a valid token")
        if is_change and identity.session_id is not None:
            self._refuse_forgery()
        g.identity = identity
        if identity.due is not None and identity.due not in may_be_due:
            raise NotSignedIn(_STILL_DUE[identity.due])

    def _note_refusal(self, answer: Response) -> Response:
        if answer.status_code in _REFUSED and request.url_rule is not None and not self._is_open():
            identity: Identity | None = g.get("identity")
            log.warning(
                "access.refused",
                status=answer.status_code,
                method=request.method,
                # As it was declared: the path itself may hold a phone number.
                route=request.url_rule.rule,
                user_id=None if identity is None else identity.actor.user_id,
                address=self.client_address(),
            )
        return answer

    def _is_open(self) -> bool:
        return request.blueprint in self._open

    def _identify(self) -> Identity | None:
        now = self._desk.clock()
        header, cookie = request.headers.get("Authorization"), request.cookies.get(self.cookie_name)
        with self._desk.reading() as session:
            if header is not None:
                scheme, _, token = header.partition(" ")
                identity = (
                    identities.of_token(session, token.strip(), now) if scheme.lower() == "bearer" else None
                )
            else:
                identity = identities.of_cookie(session, cookie, now) if cookie else None
        is_attended = UNATTENDED_HEADER not in request.headers
        if identity is not None and identity.is_worth_noting and is_attended:
            self._note_use(identity, now)
        return identity

    def _note_use(self, identity: Identity, now: datetime) -> None:
        try:
            with self._desk.noting(identity.actor.author) as session:
                identities.note_use(session, identity, now)
        except SQLAlchemyError as error:
            # It can be read and not be written: whoever asks need not suffer, the next one writes it.
            log.warning("access.use_not_noted", error=type(error).__name__)

    def _refuse_other_sites(self) -> None:
        """Refuse what a page of another site makes a browser send; browsers say where it comes from.

        This is for signing in, where there is no session yet whose token could be asked for.
        """
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            is_ours = site in {"same-origin", "none"}
        else:
            is_ours = origin in {None, self._origin, request.host_url.rstrip("/")}
        if not is_ours:
            raise Forged("another site made your browser send this")

    def _refuse_forgery(self) -> None:
        cookie = request.cookies.get(self.cookie_name, "")
        given = request.headers.get(CSRF_HEADER)
        if given is None and request.mimetype in _FORMS:
            given = request.form.get(CSRF_FIELD)
        if not is_sealed(given or "", self.secret_key, _CSRF, cookie):
            raise Forged(f"send the session's token in {CSRF_HEADER}")


_STILL_DUE = {
    Due.SECOND_FACTOR: "the second factor is still due",
    Due.NEW_PASSWORD: "choose a password of your own first",
}


def _admitted() -> Admitted:
    view = current_app.view_functions[request.endpoint or ""]
    admitted: Admitted = getattr(view, "admits", Admitted.SIGNED_IN)
    return admitted

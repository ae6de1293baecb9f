"""How a request becomes an `Actor`: every view is closed unless it says whom else it admits.

Views call `current_actor()`. Who is not signed in is refused before the view by `NotSignedIn`, a
request that some other site made a browser send by `Forged`; the doors word both (401 and 403).
"""

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from admin.access import identity as identities
from admin.access.actor import Actor
from admin.access.address import Network, client_address
from admin.access.credentials import is_sealed, seal
from admin.access.identity import Due, Identity
from admin.desk import Desk
from admin.errors import Forged, NotSignedIn

CSRF_HEADER = "X-CSRF-Token"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

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
        self._secret_key = secret_key
        self._origin = public_base_url
        self.is_https = public_base_url.startswith("https:")
        # The prefix makes browsers refuse a cookie of that name from any other host, path or http.
        self.cookie_name = "__Host-hookswitch" if self.is_https else "hookswitch"

    def guard(self, application: Flask, open_blueprints: Collection[str] = ()) -> None:
        """Stand before all views of the application but those of `open_blueprints`."""
        self._open = frozenset(open_blueprints)
        application.before_request(self._let_in)

    def csrf_token(self, cookie: str) -> str:
        """What a page of this session sends in `X-CSRF-Token` with every change."""
        return seal(self._secret_key, "csrf", cookie)

    def client_address(self) -> str:
        """From where the request in hand comes."""
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
        return client_address(request.remote_addr or "", forwarded, self._trusted_proxies)

    def _let_in(self) -> None:
        if request.routing_exception is not None or request.endpoint is None or self._is_open():
            return
        may_be_due = _admitted().value
        if may_be_due is None:
            return
        identity = self._identify()
        if identity is None:
            raise NotSignedIn("sign in, or send a valid token")
        if identity.session_id is not None and request.method not in _READING:
            self._refuse_forgery()
        g.identity = identity
        if identity.due is not None and identity.due not in may_be_due:
            raise NotSignedIn(_STILL_DUE[identity.due])

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
        return identity

    def _refuse_forgery(self) -> None:
        cookie = request.cookies.get(self.cookie_name, "")
        if not is_sealed(request.headers.get(CSRF_HEADER, ""), self._secret_key, "csrf", cookie):
            raise Forged(f"send the session's token in {CSRF_HEADER}")


_STILL_DUE = {
    Due.SECOND_FACTOR: "the second factor is still due",
    Due.NEW_PASSWORD: "choose a password of your own first",
}


def _admitted() -> Admitted:
    view = current_app.view_functions[request.endpoint or ""]
    admitted: Admitted = getattr(view, "admits", Admitted.SIGNED_IN)
    return admitted

"""`/api/v1/session` and `/api/v1/account`: signing in and out, and what users do for themselves."""

from collections.abc import Callable
from typing import Annotated, Any

from flask import Response, after_this_request
from pydantic import Field

from admin.access.gate import Admitted, Gate, admits, current_identity
from admin.access.identity import Due, Identity
from admin.api.operations import Resource
from admin.desk import Desk
from admin.own_account import LinkUse, OwnAccount, PasswordChange, PasswordProof
from admin.signing_in import Opened, SecondFactorDraft, SignInDraft, SigningIn
from admin.views import View
from models.api_token import Scope
from models.user import Role, User

_WHO: dict[str, Any] = {
    "id": 1,
    "email": "ada@example.com",
    "name": "Ada Admin",
    "role": "admin",
    "group_id": 1,
    "time_zone": "America/Los_Angeles",
    "second_factor": False,
    "scope": "admin",
    "due": None,
    "csrf_token": "4f1c…",
}


class WhoView(View):
    """Who is signed in, or about to be."""

    id: int
    email: str
    name: str
    role: Role
    group_id: int
    time_zone: str
    second_factor: Annotated[bool, Field(description="whether signing in takes a second factor")]
    scope: Annotated[Scope, Field(description="the most that may be done; `admin` in a browser's session")]
    due: Annotated[Due | None, Field(description="what is still to be done before anything else is allowed")]
    csrf_token: Annotated[
        str | None, Field(description="goes into `X-CSRF-Token` with every change; null for tokens")
    ]


class EnrolmentView(View):
    """What an authenticator app has to know; shown once."""

    secret: str
    otpauth_uri: str


class RecoveryCodes(View):
    """Each stands in for the second factor once; shown once."""

    recovery_codes: list[str]


def signing_in(desk: Desk, gate: Gate, door: SigningIn) -> Resource:
    """The session: by it a browser signs in."""
    session = Resource(
        "session",
        "Session",
        "How a browser signs in. Programs send an API token instead and need none of this.",
    )

    @session.post(
        "",
        body=SignInDraft,
        sends={"email": "ada@example.com", "password": "several words of mine"},
        answers=WhoView,
        alone=True,
        example=_WHO,
    )
    @admits(Admitted.ANYBODY)
    def sign_in(raw: object) -> WhoView:
        """Sign in with address and password.

        Sets the session's cookie. Where `due` says `second_factor`, the code has to follow within ten
        minutes. Too many failures are answered by 429, with a `Retry-After` of a minute at most.
        """
        return _opened(desk, gate, door.sign_in(raw, gate.visitor(), desk.clock()))

    @session.post(
        "/second-factor",
        body=SecondFactorDraft,
        sends={"code": "492039"},
        answers=WhoView,
        alone=True,
        example=_WHO | {"second_factor": True},
    )
    @admits(Admitted.HALF_SIGNED_IN)
    def give_second_factor(raw: object) -> WhoView:
        """Finish signing in with a code of the app, or a recovery code."""
        given = door.give_second_factor(current_identity(), raw, gate.visitor(), desk.clock())
        return _opened(desk, gate, given)

    @session.get("", answers=WhoView, alone=True, example=_WHO)
    @admits(Admitted.HALF_SIGNED_IN)
    def show_session(_raw: object) -> WhoView:
        """Show who is signed in, or whom a token speaks for."""
        identity = current_identity()
        return _who(desk, gate, identity, None if identity.session_id is None else gate.visitor().cookie)

    @session.delete("", alone=True)
    @admits(Admitted.HALF_SIGNED_IN)
    def sign_out(_raw: object) -> None:
        """Sign out: the session is over at once."""
        door.sign_out(current_identity())
        after_this_request(_without_cookie(gate))

    return session


def own_account(desk: Desk, gate: Gate, account: OwnAccount) -> Resource:
    """What users do for themselves; none of it by a token."""
    own = Resource("account", "Own account", "Password and second factor. Sign in for this: tokens may not.")

    @own.post(
        "/password",
        body=PasswordChange,
        sends={"old_password": "what it was till now", "new_password": "several words of mine"},
        answers=WhoView,
        alone=True,
        example=_WHO,
    )
    @admits(Admitted.BEFORE_NEW_PASSWORD)
    def change_password(raw: object) -> WhoView:
        """Change the password; all other sessions end.

        12 to 256 characters, none of the commonest, without the own name or address. Nothing else counts.
        """
        return _opened(desk, gate, account.change_password(current_identity(), raw, desk.clock()))

    @own.post(
        "/password-by-link",
        body=LinkUse,
        sends={"token": "what stands behind the # of the link", "password": "several words of mine"},
        answers=None,
        alone=True,
    )
    @admits(Admitted.ANYBODY)
    def set_password_by_link(raw: object) -> None:
        """Set the password by a one-time link; all sessions end.

        404 where the link was used already, or is too old.
        """
        account.use_link(raw, desk.clock())

    @own.post(
        "/second-factor",
        body=PasswordProof,
        sends={"password": "several words of mine"},
        answers=EnrolmentView,
        alone=True,
        example={"secret": "JBSWY3DPEHPK3PXP", "otpauth_uri": "otpauth://totp/Hookswitch:ada…"},
    )
    def enrol_second_factor(raw: object) -> EnrolmentView:
        """Get a secret for an authenticator app.

        It counts as soon as a code of the app is sent to `second-factor/confirm`.
        """
        made = account.enrol_second_factor(current_identity(), raw, desk.clock())
        return EnrolmentView(secret=made.secret, otpauth_uri=made.otpauth_uri)

    @own.post(
        "/second-factor/confirm",
        body=SecondFactorDraft,
        sends={"code": "492039"},
        answers=RecoveryCodes,
        alone=True,
        example={"recovery_codes": ["0f3a1-9bc44-d1e20-77aa5"]},
    )
    def confirm_second_factor(raw: object) -> RecoveryCodes:
        """Switch the second factor on, and get ten recovery codes."""
        codes = account.confirm_second_factor(current_identity(), raw, desk.clock())
        return RecoveryCodes(recovery_codes=codes)

    @own.post(
        "/second-factor/remove",
        body=PasswordProof,
        sends={"password": "several words of mine"},
        answers=None,
        alone=True,
    )
    def remove_second_factor(raw: object) -> None:
        """Switch the second factor off."""
        account.remove_second_factor(current_identity(), raw, desk.clock())

    return own


def _opened(desk: Desk, gate: Gate, opened: Opened) -> WhoView:
    def with_cookies(answer: Response) -> Response:
        gate.set_cookies(answer, opened.cookie, opened.browser)
        return answer

    after_this_request(with_cookies)
    with desk.reading() as session:
        user = session.get_one(User, opened.user_id)
        return _view(user, Scope.ADMIN, opened.due, gate.csrf_token(opened.cookie))


def _who(desk: Desk, gate: Gate, identity: Identity, cookie: str | None) -> WhoView:
    with desk.reading() as session:
        user = session.get_one(User, identity.actor.user_id)
        token = None if cookie is None else gate.csrf_token(cookie)
        return _view(user, identity.actor.scope, identity.due, token)


def _view(user: User, scope: Scope, due: Due | None, csrf_token: str | None) -> WhoView:
    return WhoView(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        group_id=user.group_id,
        time_zone=user.time_zone,
        second_factor=user.totp_confirmed_at is not None,
        scope=scope,
        due=due,
        csrf_token=csrf_token,
    )


def _without_cookie(gate: Gate) -> Callable[[Response], Response]:
    def without(answer: Response) -> Response:
        gate.drop_cookie(answer)
        return answer

    return without

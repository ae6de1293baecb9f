"""Signing in and out: the password, the second factor, the first password, the one-time link."""

from urllib.parse import quote

from flask import Blueprint, Response, flash, request
from flask import session as browser

from admin.access.gate import Admitted, admits, current_identity
from admin.access.identity import Due
from admin.errors import Invalid, NotSignedIn, NotThere, TryLater
from admin.own_account import OwnAccount
from admin.signing_in import Opened, SigningIn
from admin.ui.forms import Form, form_of
from admin.ui.frame import Frame, go_to, local_path

_NEXT = {
    Due.SECOND_FACTOR: "/login/second-factor",
    Due.NEW_PASSWORD: "/account/first-password",
    None: None,
}


def sign_in(frame: Frame, door: SigningIn, own: OwnAccount) -> Blueprint:
    views = Blueprint("sign_in", __name__)

    def opened(given: Opened) -> Response:
        """Go on to what is due, else to the page that was asked for."""
        wanted = local_path(request.form.get("next", ""))
        step = _NEXT[given.due]
        answer = go_to(wanted if step is None else f"{step}?next={quote(wanted)}")
        frame.gate.set_cookies(answer, given.cookie, given.browser)
        return answer

    @views.get("/login")
    @admits(Admitted.ANYBODY)
    def ask() -> Response:
        return frame.bare("access/login.html", form=Form(), next=local_path(request.args.get("next", "")))

    @views.post("/login")
    @admits(Admitted.ANYBODY)
    def take() -> Response:
        form = form_of(request.form)
        try:
            with frame.place():
                raw = {"email": form["email"], "password": form["password"]}
                given = door.sign_in(raw, frame.gate.visitor(), frame.now)
        except (NotSignedIn, TryLater, Invalid) as refusal:
            status = _noted(form, refusal, ("email", "password"))
            return frame.bare("access/login.html", status, form=form, next=local_path(form["next"]))
        browser.clear()
        return opened(given)

    @views.get("/login/second-factor")
    @admits(Admitted.HALF_SIGNED_IN)
    def ask_second() -> Response:
        if current_identity().due is not Due.SECOND_FACTOR:
            return go_to("/")
        wanted = local_path(request.args.get("next", ""))
        return frame.bare("access/second_factor.html", form=Form(), next=wanted)

    @views.post("/login/second-factor")
    @admits(Admitted.HALF_SIGNED_IN)
    def take_second() -> Response:
        form = form_of(request.form)
        try:
            with frame.place():
                raw = {"code": form["code"].strip()}
                given = door.give_second_factor(current_identity(), raw, frame.gate.visitor(), frame.now)
        except (NotSignedIn, TryLater, Invalid) as refusal:
            status = _noted(form, refusal, ("code",))
            return frame.bare("access/second_factor.html", status, form=form, next=local_path(form["next"]))
        return opened(given)

    @views.get("/account/first-password")
    @admits(Admitted.BEFORE_NEW_PASSWORD)
    def ask_first() -> Response:
        wanted = local_path(request.args.get("next", ""))
        return frame.bare("access/first_password.html", form=Form(), next=wanted)

    @views.post("/account/first-password")
    @admits(Admitted.BEFORE_NEW_PASSWORD)
    def take_first() -> Response:
        form = form_of(request.form)
        if form["new_password"] != form["repeated"]:
            form.add("repeated", "is not the same as above")
        else:
            try:
                with frame.place():
                    raw = {"old_password": form["old_password"], "new_password": form["new_password"]}
                    return opened(own.change_password(current_identity(), raw, frame.now))
            except (TryLater, Invalid) as refusal:
                _noted(form, refusal, ("old_password", "new_password"))
        return frame.bare("access/first_password.html", 422, form=form, next=local_path(form["next"]))

    @views.get("/password")
    @admits(Admitted.ANYBODY)
    def ask_by_link() -> Response:
        return frame.bare("access/password_by_link.html", form=Form())

    @views.post("/password")
    @admits(Admitted.ANYBODY)
    def take_by_link() -> Response:
        form = form_of(request.form)
        if form["password"] != form["repeated"]:
            form.add("repeated", "is not the same as above")
            return frame.bare("access/password_by_link.html", 422, form=form)
        try:
            with frame.place():
                own.use_link({"token": form["token"], "password": form["password"]}, frame.now)
        except (NotThere, Invalid) as refusal:
            status = _noted(form, refusal, ("password",))
            return frame.bare("access/password_by_link.html", status, form=form)
        flash("Your password is set. Sign in with it.")
        return go_to("/login")

    @views.post("/sign-out")
    @admits(Admitted.HALF_SIGNED_IN)
    def leave() -> Response:
        with frame.place():
            door.sign_out(current_identity())
        browser.clear()
        answer = go_to("/login")
        frame.gate.drop_cookie(answer)
        return answer

    return views


def _noted(form: Form, refusal: NotSignedIn | TryLater | NotThere | Invalid, shown: tuple[str, ...]) -> int:
    """Show a refusal in the form; return the status of the answer."""
    if isinstance(refusal, Invalid):
        form.refuse(refusal, shown)
        return 422
    text = str(refusal)
    form.add("", f"{text[:1].upper()}{text[1:]}.")
    return {NotSignedIn: 401, TryLater: 429, NotThere: 404}[type(refusal)]

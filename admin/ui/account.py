"""The own account: time zone, theme, password, second factor with recovery codes."""

from typing import Any

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from admin import users
from admin.access.gate import current_identity
from admin.errors import Conflict, Invalid, TryLater
from admin.own_account import OwnAccount
from admin.ui import times
from admin.ui.forms import Form, form_of
from admin.ui.frame import THEME_COOKIE, THEMES, Asked, Frame, go_to, local_path
from models.user import User

_A_YEAR = 365 * 24 * 60 * 60


def account(frame: Frame, own: OwnAccount) -> Blueprint:
    views = Blueprint("account", __name__)

    def shown(asked: Asked, status: int = 200, **forms: Form) -> Response:
        user = asked.session.get_one(User, asked.actor.user_id)
        said = {name: forms.get(name, Form()) for name in ("profile", "password", "factor")}
        if "profile" not in forms:
            said["profile"] = Form({"name": user.name, "time_zone": user.time_zone})
        return frame.page(asked, "access/account.html", status, user=user, zones=times.zone_names(), **said)

    @views.get("/account")
    def show() -> Response:
        with frame.reading() as asked:
            return shown(asked)

    @views.post("/account")
    def revise() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                raw = {"name": form["name"], "time_zone": form["time_zone"]}
                users.revise(asked.session, asked.actor, asked.actor.user_id, raw, asked.now)
        except Invalid as refusal:
            form.refuse(refusal, ("name", "time_zone"))
            with frame.reading() as asked:
                return shown(asked, 422, profile=form)
        flash("Saved. All times are now shown in your time zone.")
        return go_to("/account")

    @views.post("/account/theme")
    def choose_theme() -> Response:
        chosen = request.form.get("theme", "")
        answer = go_to(local_path(request.form.get("back", "/account")))
        if chosen in THEMES:
            answer.set_cookie(
                THEME_COOKIE,
                chosen,
                max_age=_A_YEAR,
                secure=frame.gate.is_https,
                httponly=True,
                samesite="Lax",
            )
        return answer

    @views.post("/account/password")
    def change_password() -> Response:
        form = form_of(request.form)
        if form["new_password"] != form["repeated"]:
            form.add("repeated", "is not the same as above")
        else:
            try:
                with frame.place():
                    raw = {"old_password": form["old_password"], "new_password": form["new_password"]}
                    given = own.change_password(current_identity(), raw, frame.now)
            except (Invalid, TryLater) as refusal:
                _noted(form, refusal, ("old_password", "new_password"))
            else:
                flash("Your password is changed. You are signed out everywhere else.")
                answer = go_to("/account")
                frame.gate.set_cookies(answer, given.cookie, given.browser)
                return answer
        with frame.reading() as asked:
            return shown(asked, 422, password=form)

    @views.post("/account/second-factor")
    def enrol() -> Response:
        form = form_of(request.form)
        try:
            with frame.place():
                made = own.enrol_second_factor(current_identity(), {"password": form["password"]}, frame.now)
        except (Invalid, Conflict, TryLater) as refusal:
            _noted(form, refusal, ("password",))
            with frame.reading() as asked:
                return shown(asked, 422, factor=form)
        with frame.reading() as asked:
            said: dict[str, Any] = {"form": Form(), "secret": made.secret, "uri": made.otpauth_uri}
            return frame.page(asked, "access/enrolment.html", qr=_qr(made.otpauth_uri), **said)

    @views.post("/account/second-factor/confirm")
    def confirm() -> Response:
        form = form_of(request.form)
        try:
            with frame.place():
                raw = {"code": form["code"].strip()}
                codes = own.confirm_second_factor(current_identity(), raw, frame.now)
        except (Invalid, Conflict, TryLater) as refusal:
            _noted(form, refusal, ("code",))
            with frame.reading() as asked:
                said: dict[str, Any] = {"form": form, "secret": form["secret"], "uri": form["uri"]}
                return frame.page(asked, "access/enrolment.html", 422, qr=_qr(form["uri"]), **said)
        with frame.reading() as asked:
            return frame.page(asked, "access/recovery_codes.html", codes=codes)

    @views.post("/account/second-factor/remove")
    def remove() -> Response:
        form = form_of(request.form)
        try:
            with frame.place():
                own.remove_second_factor(current_identity(), {"password": form["password"]}, frame.now)
        except (Invalid, TryLater) as refusal:
            _noted(form, refusal, ("password",))
            with frame.reading() as asked:
                return shown(asked, 422, factor=form)
        flash("The second factor is off. Signing in takes the password alone.")
        return go_to("/account")

    return views


def _qr(uri: str) -> Markup:
    """The address as a drawing that a phone reads; dark on light in both themes."""
    import segno  # only here: nobody else needs it

    drawing = segno.make(uri, micro=False).svg_inline(scale=4, dark="#000", light="#fff")
    return Markup(drawing)  # noqa: S704 - drawn by us, the text is in its shape alone


def _noted(form: Form, refusal: Invalid | Conflict | TryLater, shown: tuple[str, ...]) -> None:
    if isinstance(refusal, TryLater):
        form.add("", f"Too many attempts; try again in {refusal.seconds} seconds.")
    else:
        form.refuse(refusal, shown)

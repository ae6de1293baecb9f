"""API tokens: one's own and, for admins, those of users below; made, shown once, revoked."""

from flask import Blueprint, Response, flash, request

from admin import tokens as use_cases
from admin.errors import Invalid
from admin.lists import tokens as token_list
from admin.lists import users as user_list
from admin.ui.forms import Form, form_of
from admin.ui.frame import Asked, Frame, go_to

_PATH = "/settings/tokens"
_SHOWN = ("name", "scope", "expires_at")
_A_PAGE = 50


def tokens(frame: Frame) -> Blueprint:
    views = Blueprint("tokens", __name__)

    def shown(asked: Asked, user_id: int, form: Form) -> Response:
        user = user_list.one(asked.session, asked.actor, user_id, asked.now)
        raw = {"user_id": user_id, "limit": _A_PAGE, "count": True, "cursor": request.args.get("cursor")}
        held = token_list.page(asked.session, asked.actor, raw, asked.now)
        status = 200 if form.is_right else 422
        return frame.page(asked, "settings/tokens.html", status, user=user, held=held, form=form)

    @views.get(_PATH)
    def index() -> Response:
        with frame.reading() as asked:
            user_id = form_of(request.args).whole("user_id") or asked.actor.user_id
            return shown(asked, user_id, Form({"scope": "read"}))

    @views.post(_PATH)
    def make() -> Response:
        form = form_of(request.form)
        try:
            with frame.writing() as asked:
                user_id = form.whole("user_id") or asked.actor.user_id
                raw: dict[str, object] = {name: form[name] for name in ("name", "scope")}
                raw |= {"user_id": user_id, "expires_at": form.moment("expires_at", asked.zone)}
                if form.is_right:
                    token, secret = use_cases.create(asked.session, asked.actor, raw, asked.now)
                    back = _of(asked, user_id)
                    return frame.page(asked, "settings/token.html", token=token, secret=secret, back=back)
        except Invalid as refusal:
            form.refuse(refusal, _SHOWN)
        with frame.reading() as asked:
            return shown(asked, form.whole("user_id") or asked.actor.user_id, form)

    @views.post(f"{_PATH}/<id:token_id>/revoke")
    def revoke(token_id: int) -> Response:
        with frame.writing() as asked:
            revoked = use_cases.revoke(asked.session, asked.actor, token_id, asked.now)
            back = _of(asked, revoked.user_id)
        flash("The token is revoked. Programs that use it are refused from now on.")
        return go_to(back)

    return views


def _of(asked: Asked, user_id: int) -> str:
    return _PATH if user_id == asked.actor.user_id else f"{_PATH}?user_id={user_id}"

"""Home: what an operator needs at nine in the morning."""

from flask import Blueprint, Response

from admin.ui.frame import Frame


def home(frame: Frame) -> Blueprint:
    views = Blueprint("home", __name__)

    @views.get("/")
    def show() -> Response:
        with frame.reading() as asked:
            return frame.page(asked, "home/home.html")

    return views

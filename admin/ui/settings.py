"""Settings: its address leads to the first of its tabs; each tab is a file of its own."""

from flask import Blueprint, Response

from admin.ui.frame import SETTINGS, go_to


def settings() -> Blueprint:
    views = Blueprint("settings", __name__)

    @views.get("/settings")
    def first_tab() -> Response:
        return go_to(SETTINGS[0].path)

    return views

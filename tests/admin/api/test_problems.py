"""What goes wrong is said as a problem (RFC 9457), whoever notices it first."""

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from werkzeug.test import Client

from admin.desk import Desk
from tests.admin.api.integrator import Integrator, Premises, Sent


@pytest.mark.parametrize(
    ("request_", "headers", "status"),
    [
        (("GET", "nothing-of-that-kind", None), {}, 404),
        (("GET", "/api/v2/campaigns", None), {}, 404),
        (("GET", "campaigns/999999", None), {}, 404),
        (("GET", "campaigns/99999999999999999999", None), {}, 404),
        (("GET", "campaigns/", None), {}, 404),
        (("PUT", "campaigns", {}), {}, 405),
        (("POST", "campaigns", "{"), {}, 400),
        (("POST", "campaigns", b"\xff\xfe"), {}, 400),
        (("POST", "campaigns", '{"name": NaN}'), {}, 400),
        (("POST", "campaigns", "[" * 100_000), {}, 400),
        (("POST", "campaigns", ""), {}, 400),
        (("POST", "campaigns", "[]"), {}, 422),
        (("POST", "campaigns", "name=Leaflet"), {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (("POST", "campaigns", b" " * (1024**2 + 1)), {}, 413),
        (("POST", "campaigns", {"name": "Leaflet"}), {"Idempotency_Key": "two words"}, 422),
        (("PATCH", "campaigns/1", {"name": "Leaflet"}), {"If_Match": 'W/"3"'}, 422),
        (("PATCH", "plans/1", {"name": "Premium"}), {"If_Match": '"3"'}, 422),
        (("GET", "campaigns?colour=red", None), {}, 422),
        (("GET", "campaigns?limit=1&limit=2", None), {}, 422),
        (("GET", "campaigns/1?limit=1", None), {}, 422),
        (("GET", "routes/never", None), {}, 422),
        (("GET", "routes/+15005550100?at=2026-07-01T09:00:00", None), {}, 422),
    ],
)
def test_every_error_is_a_problem(
    ada: Integrator, request_: tuple[str, str, Sent], headers: dict[str, str], status: int
) -> None:
    answer = ada.send(*request_, **headers)
    assert (answer.status, bool(answer.detail)) == (status, True)
    assert (status == 422) == bool(answer.wrong)
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.response.headers


def test_without_credentials_nothing_is_shown_and_the_way_in_is_named(premises: Premises) -> None:
    answer = premises.stranger().get("campaigns")
    assert (answer.status, answer.detail) == (401, "sign in, or send a valid token")
    assert answer.response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_method_names_the_right_ones(ada: Integrator) -> None:
    answer = ada.send("PUT", "campaigns", {})
    assert set(answer.response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_all_that_is_wrong_is_said_at_once(ada: Integrator) -> None:
    answer = ada.post(
        "campaigns",
        {
            "name": "",
            "starts_at": "2026-07-01T09:00:00",
            "destination": "555 0100",
            "group_id": 999_999,
            "colour": "red",
        },
    )
    assert answer.status == 422
    assert set(answer.wrong) == {"name", "starts_at", "destination", "group_id", "colour"}


def test_a_defect_shows_nothing_but_a_reference_that_the_log_has(
    premises: Premises, ada: Integrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("admin.api.routes.last_holding", fail)
    with capture_logs() as logs:
        answer = ada.get("routes/+15005550100")
    assert answer.status == 500
    assert b"hunter2" not in answer.response.data
    assert "5005550100" not in repr(logs)  # an address may hold a number, and logs have none
    (logged,) = [entry for entry in logs if entry["event"] == "api.failed"]
    assert logged["reference"] == answer.json["reference"]


def test_a_database_that_is_away_asks_to_come_back(ada: Integrator, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(Desk, "reading", away)
    answer = ada.get("campaigns")
    assert (answer.status, answer.response.headers["Retry-After"]) == (503, "1")
    assert answer.detail


def test_a_defect_elsewhere_is_a_line_of_text(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("webhooks.recorded_prompts.audio_by_digest", fail)
    with capture_logs() as logs:
        answer = Client(premises.application).get(f"/prompts/1/{'0' * 64}.wav")
    assert (answer.status_code, answer.mimetype) == (500, "text/plain")
    assert "hunter2" not in answer.text
    assert [entry["event"] for entry in logs] == ["web.failed"]


def test_other_sites_get_nothing_through_a_browser(ada: Integrator) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = ada.send(method, "campaigns", "{}", Origin="https://elsewhere.example")
        assert not [name for name, _ in answer.response.headers if name.startswith("Access-Control")]
        assert answer.response.headers["Cross-Origin-Resource-Policy"] == "same-origin"

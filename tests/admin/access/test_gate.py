"""The gate: a request becomes somebody by a token or a cookie, or it is refused before anything happens."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from structlog.testing import capture_logs
from werkzeug.test import Client, TestResponse

from admin.access.gate import Admitted, Gate, admits, current_actor, current_identity
from admin.access.headers import set_headers
from admin.api import problems
from admin.api.operations import Resource
from admin.api.serving import Serving
from admin.api.signing_in import own_account, signing_in
from admin.room import Room
from models.database import Database
from models.user import User
from tests.admin.people import KEY, PASSWORD, Premises

HTTPS = "https://calls.example.com"
HTTP = "http://127.0.0.1:8000"


@dataclass
class House:
    """A small application behind a gate, and a browser in front of it."""

    premises: Premises
    client: Client
    gate: Gate
    csrf_token: str = ""

    def post(self, path: str, sent: object = None, **headers: str) -> TestResponse:
        named = {"X-CSRF-Token": self.csrf_token} | {n.replace("_", "-"): v for n, v in headers.items()}
        return self.client.post(path, json={} if sent is None else sent, headers=named)

    def sign_in(self, user: User, **headers: str) -> TestResponse:
        sent = {"email": user.email, "password": PASSWORD}
        answer = self.post("/api/v1/session", sent, **headers)
        if answer.status_code == 200:
            self.csrf_token = answer.json["csrf_token"] if answer.json else ""
        return answer


def house(premises: Premises, base_url: str, **more: Any) -> House:
    application = Flask("house")
    gate = Gate(premises.desk, secret_key=KEY, public_base_url=base_url, **more)
    gate.guard(application)
    problems.install(application)
    serving = Serving(premises.desk, Room())
    resources: tuple[Resource, ...] = (
        signing_in(premises.desk, gate, premises.door),
        own_account(premises.desk, gate, premises.account),
    )
    for operation in (operation for resource in resources for operation in resource.operations):
        application.add_url_rule(
            operation.home + operation.rule,
            endpoint=f"{operation.home}.{operation.view.__name__}",
            view_func=serving.view_of(operation),
            methods=[operation.method],
        )

    @application.route("/api/mine", methods=["GET", "POST"])
    def mine() -> str:
        return str(current_actor().user_id)

    @application.get("/api/anybody")
    @admits(Admitted.ANYBODY)
    def anybody() -> str:
        return gate.client_address()

    @application.get("/api/careless")
    @admits(Admitted.ANYBODY)
    def careless() -> str:
        return str(current_identity())

    set_headers(application, is_https=gate.is_https)
    return House(premises, Client(application), gate)


@pytest.fixture
def at_home(on_sqlite: Premises) -> House:
    return house(on_sqlite, HTTP)


@pytest.fixture
def in_public(on_sqlite: Premises) -> House:
    return house(on_sqlite, HTTPS)


def cookies_of(answer: TestResponse) -> dict[str, "Morsel[str]"]:
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.getlist("Set-Cookie"):
        jar.load(header)
    return dict(jar)


# Who it is


def test_a_cookie_makes_its_user_the_actor(at_home: House) -> None:
    user = at_home.premises.a_user()
    at_home.sign_in(user)
    assert at_home.client.get("/api/mine").text == str(user.id)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer hs_wrong", "Basic YTpi", "hs_wrong", "Bearer \xff", ""]
)
def test_other_credentials_are_refused_and_told_what_is_wanted(at_home: House, header: str) -> None:
    answer = at_home.client.get("/api/mine", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"


def test_a_wrong_token_is_not_made_good_by_a_cookie(at_home: House) -> None:
    at_home.sign_in(at_home.premises.a_user())
    assert at_home.client.get("/api/mine", headers={"Authorization": "Bearer hs_wrong"}).status_code == 401


def test_a_view_that_forgets_who_is_admitted_to_it_refuses_rather_than_guess(at_home: House) -> None:
    assert at_home.client.get("/api/careless").status_code == 401


@pytest.mark.parametrize(("path", "status"), [("/api/nowhere", 404), ("/api/anybody", 200)])
def test_what_is_not_there_or_open_needs_no_credentials(at_home: House, path: str, status: int) -> None:
    assert at_home.client.get(path).status_code == status


def test_who_has_a_one_time_password_may_only_choose_another(at_home: House) -> None:
    at_home.sign_in(at_home.premises.a_user(password_changed_at=None))
    assert at_home.client.get("/api/mine").status_code == 401
    assert at_home.post("/api/v1/account/second-factor", {"password": PASSWORD}).status_code == 401
    chosen = {"old_password": PASSWORD, "new_password": "a kettle of wet otters"}
    assert at_home.post("/api/v1/account/password", chosen).status_code == 200
    assert at_home.client.get("/api/mine").status_code == 200


def test_before_the_second_factor_no_password_can_be_changed(at_home: House) -> None:
    user = at_home.premises.a_user(totp_secret="JBSWY3DPEHPK3PXP", totp_confirmed_at=at_home.premises.clock())
    assert at_home.sign_in(user).json["due"] == "second_factor"  # type: ignore[index]  # it is an object
    chosen = {"old_password": PASSWORD, "new_password": "a kettle of wet otters"}
    assert at_home.post("/api/v1/account/password", chosen).status_code == 401
    assert at_home.client.get("/api/mine").status_code == 401


def test_a_use_that_cannot_be_written_down_is_a_use_all_the_same(at_home: House, sqlite_url: str) -> None:
    at_home.sign_in(at_home.premises.a_user())
    at_home.premises.clock.goes_on(minutes=2)
    other = Database(sqlite_url)
    with other.session() as session, capture_logs() as logged:
        session.execute(text("UPDATE users SET name = name"))  # holds the lock for writing
        assert at_home.client.get("/api/mine").status_code == 200
    other.dispose()
    assert [line["event"] for line in logged] == ["access.use_not_noted"]


# Cookies


@pytest.mark.parametrize("https", [True, False])
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(on_sqlite: Premises, *, https: bool) -> None:
    stage = house(on_sqlite, HTTPS if https else HTTP)
    cookies = cookies_of(stage.sign_in(on_sqlite.a_user()))
    name = "__Host-hookswitch" if https else "hookswitch"
    assert set(cookies) == {name, f"{name}-browser"}
    for cookie in cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert (bool(cookie["secure"]), cookie["domain"]) == (https, "")
    assert cookies[name]["max-age"] == ""


def test_signing_out_takes_the_cookie_away_and_leaves_the_browser_known(at_home: House) -> None:
    at_home.sign_in(at_home.premises.a_user())
    answer = at_home.client.delete("/api/v1/session", headers={"X-CSRF-Token": at_home.csrf_token})
    assert answer.status_code == 204
    assert {name: cookie["max-age"] for name, cookie in cookies_of(answer).items()} == {"hookswitch": "0"}
    assert at_home.client.get("/api/mine").status_code == 401


# Other sites


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Origin": HTTP}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:9999"}, False),
        ({"Origin": "https://elsewhere.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_no_other_site_signs_a_browser_in(at_home: House, headers: dict[str, str], *, is_ours: bool) -> None:
    answer = at_home.sign_in(at_home.premises.a_user(), **headers)
    assert answer.status_code == (200 if is_ours else 403)


@pytest.mark.parametrize("token", ["", "wrong", "\xff"])
def test_a_change_without_the_sessions_own_token_is_refused(at_home: House, token: str) -> None:
    at_home.sign_in(at_home.premises.a_user())
    assert at_home.client.post("/api/mine", headers={"X-CSRF-Token": token}).status_code == 403
    assert at_home.post("/api/mine").status_code == 200


def test_the_token_of_a_session_is_void_in_the_next(at_home: House) -> None:
    user = at_home.premises.a_user()
    at_home.sign_in(user)
    before = at_home.csrf_token
    at_home.sign_in(user)
    assert at_home.client.post("/api/mine", headers={"X-CSRF-Token": before}).status_code == 403


# Where it comes from


def test_the_address_is_the_peers_unless_a_named_proxy_says_otherwise(on_sqlite: Premises) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    told = []
    for proxies in ((), (ipaddress.ip_network("127.0.0.0/8"),)):
        client = house(on_sqlite, HTTP, trusted_proxies=proxies).client
        peer = {"REMOTE_ADDR": "127.0.0.1"}
        told.append(client.get("/api/anybody", headers=headers, environ_overrides=peer).text)
    assert told == ["127.0.0.1", "198.51.100.7"]


def test_who_waits_is_told_how_long(at_home: House) -> None:
    user = at_home.premises.a_user()
    for _ in range(5):
        at_home.post("/api/v1/session", {"email": user.email, "password": "not it"})
    answer = at_home.sign_in(user)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    at_home.premises.clock.now += timedelta(seconds=1)
    assert at_home.sign_in(user).status_code == 200


def test_who_is_refused_is_in_the_log_without_what_he_sent(at_home: House) -> None:
    user = at_home.premises.a_user()
    at_home.sign_in(user)
    with capture_logs() as logged:
        at_home.client.get("/api/mine", headers={"Authorization": "Bearer hs_secret"})
        at_home.client.post("/api/mine", headers={"X-CSRF-Token": "secret"})
        at_home.client.get("/api/nowhere")
    refused = [(line["status"], line["route"], line["user_id"]) for line in logged]
    assert refused == [(401, "/api/mine", None), (403, "/api/mine", None)]
    assert "secret" not in repr(logged)


# What browsers are told


@pytest.mark.parametrize("path", ["/api/anybody", "/api/mine", "/api/nowhere", "/nowhere"])
def test_every_answer_has_the_safety_headers(in_public: House, path: str) -> None:
    headers = in_public.client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "microphone=()" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_local_trial_does_not_demand_https(at_home: House) -> None:
    assert "Strict-Transport-Security" not in at_home.client.get("/api/anybody").headers

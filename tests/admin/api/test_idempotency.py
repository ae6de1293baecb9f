"""A POST with an Idempotency-Key is done once, however often and however closely it is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from models.idempotency import KEPT_FOR, KeptAnswer, forget_answers, kept_answer
from tests.admin.api.integrator import Integrator, Premises

LEAFLET = {"name": "Leaflet"}


def names(program: Integrator) -> list[str]:
    return [item["name"] for item in program.get("campaigns").json["items"]]


def test_a_request_sent_twice_is_done_once_and_answered_twice(ada: Integrator) -> None:
    first = ada.post("campaigns", LEAFLET, Idempotency_Key="k1")
    again = ada.post("campaigns", LEAFLET, Idempotency_Key="k1")
    assert (first.status, again.status) == (201, 201)
    assert again.response.data == first.response.data
    assert again.response.headers["Location"] == first.response.headers["Location"]
    assert again.response.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.response.headers
    assert names(ada) == ["Leaflet"]


def test_another_request_under_the_same_key_is_a_mistake(ada: Integrator) -> None:
    ada.post("campaigns", LEAFLET, Idempotency_Key="k1")
    for path, sent in (("campaigns", {"name": "Poster"}), ("plans", LEAFLET)):
        assert "Idempotency-Key" in ada.post(path, sent, Idempotency_Key="k1").wrong
    assert names(ada) == ["Leaflet"]


def test_keys_of_other_users_are_other_keys(ada: Integrator, otis: Integrator) -> None:
    ada.post("campaigns", LEAFLET, Idempotency_Key="k1")
    assert otis.post("campaigns", {"name": "Poster"}, Idempotency_Key="k1").status == 201


def test_a_refused_request_may_be_mended_under_its_key(ada: Integrator) -> None:
    assert ada.post("campaigns", {}, Idempotency_Key="k1").status == 422
    assert ada.post("campaigns", LEAFLET, Idempotency_Key="k1").status == 201


def test_a_secret_is_not_shown_twice(ada: Integrator) -> None:
    token = {"name": "crm", "scope": "read"}
    made = ada.post("api-tokens", token, Idempotency_Key="k1")
    assert made.status == 201
    again = ada.post("api-tokens", token, Idempotency_Key="k1")
    assert (again.status, list(again.wrong)) == (409, ["Idempotency-Key"])


def test_a_form_keeps_its_key_whatever_its_boundary(ada: Integrator) -> None:
    # Refused, since it is no sound; the key is read before, from another boundary each time.
    for _ in range(2):
        headers = {"Idempotency-Key": "k1", "Content-Type": "multipart/form-data; boundary=x"}
        assert ada.post("prompts/recordings", b"--x--\r\n", **headers).status == 422


@pytest.mark.parametrize("path", ["campaigns", "tracking-numbers"])
def test_the_same_key_at_the_same_time_is_done_once(on_postgres: Premises, path: str) -> None:
    ada = on_postgres.program_of(on_postgres.people.ada)
    sent = LEAFLET if path == "campaigns" else {"number": "+15005550100"}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: ada.post(path, sent, Idempotency_Key="k1"), range(3)))
    assert {answer.status for answer in answers} <= {201, 409, 503}
    made = [answer.json["id"] for answer in answers if answer.status == 201]
    assert len(set(made)) == 1
    assert len(ada.get(path).json["items"]) == 1


@pytest.mark.parametrize(
    ("after", "kept"),
    [(KEPT_FOR - timedelta(seconds=1), True), (KEPT_FOR, True), (KEPT_FOR + timedelta(seconds=1), False)],
)
def test_an_answer_is_kept_for_a_day(premises: Premises, after: timedelta, kept: bool) -> None:  # noqa: FBT001
    now = datetime.now(UTC)
    with premises.database.session() as session:
        user_id = premises.people.ada.id
        answer = {"fingerprint": "f" * 64, "status": 201, "body": b"{}", "created_at": now}
        session.add(KeptAnswer(user_id=user_id, key="k1", **answer))
        session.flush()
        forget_answers(session, now + after)
        assert (kept_answer(session, user_id, "k1") is not None) == kept

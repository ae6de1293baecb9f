"""What people and programs send by mistake or on purpose: refused in words, or kept exactly as it was."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.api_token import Scope
from tests.admin.api.integrator import Integrator, Premises

TAKEN_AS_IT_IS = [
    '<script>alert("1")</script>',
    "'; DROP TABLE campaigns; --",
    "{{ 7 * 7 }} ${7 * 7} %s",
    "=HYPERLINK(1)",
    "حملة الصيف",
    "קיץ 2026",
    "Summer 🌻👩‍🍳",
    "é and é",
    "x" * 200,
]
REFUSED_NAMES = [
    "",
    " ",
    "x" * 201,
    "x" * 10_240,
    "a\x00b",
    "a\nb",
    "\x1b[31m",
    "\ud800",
    7,
    None,
    ["Leaflet"],
]
NO_INSTANTS = [
    "2026-07-01T09:00:00",
    "2026-07-01",
    "tomorrow",
    "2026-02-30T09:00:00Z",
    "2026-07-01T25:00:00Z",
    "2026-07-01T09:00:00+99:00",
    1_782_896_400,
    True,
    "",
]
NO_NUMBERS = [
    "4155550190",
    "0171 1234567",
    "+1",
    "+0155550190",
    "+1415555019012345678",
    "555-CALL",
    "",
    14155550190,
]


@pytest.mark.parametrize("name", TAKEN_AS_IT_IS)
def test_a_name_comes_back_as_it_was_sent(ada: Integrator, name: str) -> None:
    made = ada.post("campaigns", {"name": name, "external_id": name[:40]})
    assert made.status == 201
    read = ada.get(f"campaigns/{made.json['id']}")
    assert (read.json["name"], read.json["external_id"]) == (name, name[:40].strip())
    assert read.response.mimetype == "application/json"


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=repr)
def test_a_name_that_cannot_be_shown_is_refused(ada: Integrator, name: object) -> None:
    answer = ada.post("campaigns", {"name": name})
    assert (answer.status, list(answer.wrong)) == (422, ["name"])


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
@pytest.mark.parametrize("instant", NO_INSTANTS, ids=repr)
def test_an_instant_that_could_mean_several_is_refused(ada: Integrator, field: str, instant: object) -> None:
    answer = ada.post("campaigns", {"name": "Leaflet", field: instant})
    assert (answer.status, list(answer.wrong)) == (422, [field])


def test_an_end_stands_after_its_start(ada: Integrator) -> None:
    for ends_at, status in (("09:00:00Z", 422), ("10:00:00Z", 422), ("10:00:01Z", 201)):
        sent = {
            "name": "Leaflet",
            "starts_at": "2031-07-01T12:00:00+02:00",
            "ends_at": f"2031-07-01T{ends_at}",
        }
        answer = ada.post("campaigns", sent)
        assert answer.status == status, ends_at
        assert status == 201 or list(answer.wrong) == ["ends_at"]


def test_a_campaign_may_be_written_down_that_is_over(ada: Integrator) -> None:
    sent = {"name": "Leaflet", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
    assert ada.post("campaigns", sent).json["state"] == "ended"


@pytest.mark.parametrize("number", NO_NUMBERS, ids=repr)
def test_a_number_that_nobody_can_dial_is_refused(ada: Integrator, number: object) -> None:
    answer = ada.post("campaigns", {"name": "Leaflet", "destination": number})
    assert (answer.status, list(answer.wrong)) == (422, ["destination"])


@pytest.mark.parametrize("number", ["+1 415 555 0190", "+1 (415) 555-0190", " +1.415.555.0190 "])
def test_a_number_with_punctuation_is_kept_in_e164(ada: Integrator, number: str) -> None:
    made = ada.post("campaigns", {"name": "Leaflet", "destination": number})
    assert made.json["destination"] == "+14155550190"


@pytest.mark.parametrize("referred", ["group_id", "owner_id", "prompt_id"])
def test_what_is_named_has_to_be_there(ada: Integrator, referred: str) -> None:
    for value in (999_999, 2**63, 0, -1, "7", 1.5):
        answer = ada.post("campaigns", {"name": "Leaflet", referred: value})
        assert (answer.status, list(answer.wrong)) == (422, [referred]), value


def test_a_number_is_held_once_however_many_want_it(on_postgres: Premises) -> None:
    programs = [on_postgres.program_of(user) for user in (on_postgres.people.nora, on_postgres.people.sue)]
    with ThreadPoolExecutor(2) as pool:
        sent = {"number": "+15005550100"}
        answers = list(pool.map(lambda program: program.post("tracking-numbers", sent), programs))
    assert sorted(answer.status for answer in answers) == [201, 409]
    (refused,) = [answer for answer in answers if answer.status == 409]
    assert list(refused.wrong) == ["number"]


def test_of_two_changes_to_the_same_revision_one_wins(on_postgres: Premises) -> None:
    ada = on_postgres.program_of(on_postgres.people.ada)
    made = ada.post("campaigns", {"name": "Leaflet"})
    path = f"campaigns/{made.json['id']}"
    with ThreadPoolExecutor(2) as pool:
        names = ["Poster", "Banner"]
        answers = list(pool.map(lambda n: ada.patch(path, {"name": n}, If_Match=made.etag), names))
    assert sorted(answer.status for answer in answers) == [200, 409]
    (winner,) = [answer.json["name"] for answer in answers if answer.status == 200]
    assert ada.get(path).json["name"] == winner


def test_many_numbers_are_created_all_or_none(ada: Integrator) -> None:
    numbers = [{"number": f"+1500555{n:04d}"} for n in range(100, 130)]
    refused = ada.post("tracking-numbers/bulk", {"numbers": [*numbers, {"number": "+15005550100x"}]})
    assert (refused.status, list(refused.wrong)) == (422, ["numbers.30.number"])
    assert ada.get("tracking-numbers?count=true").json["total"] == 0
    made = ada.post("tracking-numbers/bulk", {"numbers": numbers})
    assert [held["number"] for held in made.json["items"]] == [number["number"] for number in numbers]
    taken = ada.post("tracking-numbers/bulk", {"numbers": [{"number": "+15005550999"}, numbers[7]]})
    assert (taken.status, list(taken.wrong)) == (409, ["numbers.1.number"])
    assert ada.get("tracking-numbers?count=true").json["total"] == 30


def test_a_token_does_no_more_than_its_scope(premises: Premises) -> None:
    reader = premises.program_of(premises.people.ada, Scope.READ)
    writer = premises.program_of(premises.people.ada, Scope.WRITE)
    assert reader.get("campaigns").status == 200
    assert reader.post("campaigns", {"name": "Leaflet"}).status == 403
    assert writer.post("campaigns", {"name": "Leaflet"}).status == 201
    assert writer.post("plans", {"name": "Premium"}).status == 403


def test_what_lies_in_another_branch_is_not_there(premises: Premises) -> None:
    sue, nora = (premises.program_of(user) for user in (premises.people.sue, premises.people.nora))
    path = f"campaigns/{sue.post('campaigns', {'name': 'Leaflet'}).json['id']}"
    missing = nora.get("campaigns/999999")
    for answer in (nora.get(path), nora.patch(path, {"name": "Mine"}), nora.delete(path)):
        assert (answer.status, answer.detail) == (404, missing.detail)
    assert nora.get("campaigns").json["items"] == []

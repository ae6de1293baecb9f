"""Answers have tags: nothing newer is overwritten, and nothing is sent that is there already."""

import pytest

from tests.admin.api.integrator import Integrator


@pytest.fixture
def campaign(ada: Integrator) -> str:
    return str(ada.post("campaigns", {"name": "Leaflet"}).json["id"])


@pytest.mark.parametrize("way", ["header", "body"])
def test_what_was_changed_meanwhile_is_not_overwritten(ada: Integrator, campaign: str, way: str) -> None:
    read = ada.get(f"campaigns/{campaign}")
    ada.patch(f"campaigns/{campaign}", {"name": "Leaflet of Ada"})
    if way == "header":
        answer = ada.patch(f"campaigns/{campaign}", {"name": "Poster"}, If_Match=read.etag)
    else:
        answer = ada.patch(f"campaigns/{campaign}", {"name": "Poster", "revision": read.json["revision"]})
    now = ada.get(f"campaigns/{campaign}").json
    assert (answer.status, answer.json["revision"]) == (409, now["revision"])
    assert now["name"] == "Leaflet of Ada"


def test_with_the_tag_in_force_it_is_changed_and_has_a_new_one(ada: Integrator, campaign: str) -> None:
    read = ada.get(f"campaigns/{campaign}")
    changed = ada.patch(f"campaigns/{campaign}", {"name": "Poster"}, If_Match=read.etag)
    assert (changed.status, changed.etag != read.etag) == (200, True)
    # The number alone will do.
    again = ada.patch(f"campaigns/{campaign}", {"name": "Banner"}, If_Match=f'"{changed.json["revision"]}"')
    assert again.status == 200


def test_archiving_and_releasing_take_tags_too(ada: Integrator, campaign: str) -> None:
    number = ada.post("tracking-numbers", {"number": "+15005550100", "campaign_id": int(campaign)})
    path = f"tracking-numbers/{number.json['id']}"
    ada.patch(path, {"name": "page 1"})
    assert ada.delete(path, If_Match=number.etag).status == 409
    assert ada.delete(f"{path}?even_in_use=true", If_Match=ada.get(path).etag).status == 204
    assert ada.delete(f"campaigns/{campaign}", If_Match='"1"').status == 204
    assert ada.get(f"campaigns/{campaign}").json["state"] == "archived"


def test_two_revisions_that_differ_are_a_mistake(ada: Integrator, campaign: str) -> None:
    answer = ada.patch(f"campaigns/{campaign}", {"revision": 2}, If_Match='"1"')
    assert list(answer.wrong) == ["revision"]


@pytest.mark.parametrize("path", ["campaigns/{}", "campaigns", "openapi.json"])
def test_what_is_there_already_is_not_sent_again(ada: Integrator, campaign: str, path: str) -> None:
    path = path.format(campaign)
    read = ada.get(path)
    again = ada.get(path, If_None_Match=read.etag)
    assert (again.status, again.response.data) == (304, b"")
    ada.patch(f"campaigns/{campaign}", {"name": "Poster"})
    assert ada.get(path, If_None_Match=read.etag).status == (304 if path == "openapi.json" else 200)


def test_what_was_made_is_where_its_location_says(ada: Integrator) -> None:
    made = ada.post("groups", {"name": "East"})
    assert ada.get(made.response.headers["Location"]).json == made.json

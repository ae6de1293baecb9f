"""Each kind of thing, from its making to its end, through the API and as callers notice it."""

import io
import wave
from datetime import UTC, datetime

import pytest

from models.api_token import Scope
from tests.admin.api.integrator import Integrator, Premises
from tests.webhooks.switchboard import a_call

NUMBER = "+15005550100"
BAKERY = "+14155550190"


def a_sound(seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x00\x10" * int(8000 * seconds))
    return file.getvalue()


@pytest.fixture
def ringing(premises: Premises, ada: Integrator) -> tuple[int, int]:
    """A live campaign and its number; the index is whole."""
    premises.board.rebuild_index()
    campaign = ada.post("campaigns", {"name": "Leaflet", "destination": BAKERY, "business_number": BAKERY})
    number = ada.post("tracking-numbers", {"number": NUMBER, "campaign_id": campaign.json["id"]})
    return campaign.json["id"], number.json["id"]


def test_an_edit_is_in_the_index_when_it_is_answered(
    premises: Premises, ada: Integrator, ringing: tuple[int, int]
) -> None:
    assert premises.board.publish() == 0
    assert premises.board.ring(NUMBER).dialled == BAKERY
    ada.patch(f"tracking-numbers/{ringing[1]}", {"destination": "+14155550191"})
    assert premises.board.ring(NUMBER).dialled == "+14155550191"
    assert ada.get(f"routes/{NUMBER}").json["source"] == "index"


@pytest.mark.parametrize(
    ("deed", "sent", "heard"),
    [
        ("pause", {}, ("paused", "Reject")),
        ("end", {"revision": 1}, ("ended", "Reject")),
        ("extend", {"ends_at": "2090-01-01T00:00:00Z"}, ("live", "Dial")),
    ],
)
def test_what_is_done_to_a_campaign_is_heard_at_the_next_call(
    premises: Premises, ringing: tuple[int, int], deed: str, sent: dict[str, object], heard: tuple[str, str]
) -> None:
    ada = premises.program_of(premises.people.ada, Scope.WRITE)
    if deed == "extend":
        ada.patch(f"campaigns/{ringing[0]}", {"ends_at": "2080-01-01T00:00:00Z"})
    answer = ada.post(f"campaigns/{ringing[0]}/{deed}", sent)
    assert answer.status == 200
    assert (answer.json["state"], premises.board.ring(NUMBER).verbs[0]) == heard


def test_a_paused_campaign_goes_on(premises: Premises, ada: Integrator, ringing: tuple[int, int]) -> None:
    ada.post(f"campaigns/{ringing[0]}/pause")
    assert ada.post(f"campaigns/{ringing[0]}/resume").json["active"] is True
    assert premises.board.ring(NUMBER).verbs == ["Dial"]


def test_archiving_and_releasing_reject_callers(
    premises: Premises, ada: Integrator, ringing: tuple[int, int]
) -> None:
    assert ada.delete(f"campaigns/{ringing[0]}").status == 204
    assert ada.get(f"routes/{NUMBER}").json["reason"] == "archived"
    assert ada.delete(f"tracking-numbers/{ringing[1]}").status == 204
    assert ada.get(f"routes/{NUMBER}").json["reason"] == "released"
    assert premises.board.ring(NUMBER).verbs == ["Reject"]
    released = ada.get("tracking-numbers?status=released").json["items"]
    assert [number["number"] for number in released] == [NUMBER]


def test_a_number_moves_to_another_campaign(ada: Integrator, ringing: tuple[int, int]) -> None:
    poster = ada.post("campaigns", {"name": "Poster", "destination": "+14155550192"}).json["id"]
    moved = ada.post(f"tracking-numbers/{ringing[1]}/move", {"campaign_id": poster})
    assert (moved.status, moved.json["campaign_name"]) == (200, "Poster")
    assert ada.get(f"routes/{NUMBER}").json["facts"]["connects to"] == "+14155550192"


def test_an_owner_is_changed_by_admins_only(premises: Premises, ada: Integrator, otis: Integrator) -> None:
    made = ada.post("campaigns", {"name": "Leaflet", "group_id": premises.people.north}).json
    path, owner = f"campaigns/{made['id']}", {"owner_id": premises.people.otis.id}
    assert otis.patch(path, {"name": "Mine"}).status == 403
    assert otis.post(f"{path}/owner", owner).status == 403
    assert ada.post(f"{path}/owner", owner).json["owner_name"] == "Otis"
    assert otis.patch(path, {"name": "Mine"}).status == 200


def test_one_thing_is_done_to_many_campaigns(ada: Integrator, ringing: tuple[int, int]) -> None:
    report = ada.post("campaigns/bulk", {"action": "pause", "ids": [ringing[0], 999_999]}).json
    assert (report["done"], report["refused"]) == (1, 1)
    assert ada.get(f"campaigns/{ringing[0]}").json["state"] == "paused"


@pytest.mark.parametrize("at", ["2020-01-01T09:00:00-08:00", "2020-01-01T17:00:00Z"])
def test_a_route_is_explained_for_any_instant(ada: Integrator, ringing: tuple[int, int], at: str) -> None:
    then = ada.get(f"routes/{NUMBER}?at={at}").json
    assert (then["decision"], then["reason"], then["at"]) == ("reject", "scheduled", "2020-01-01T17:00:00Z")
    assert ada.get(f"routes/{NUMBER.removeprefix('+')}").json["decision"] == "connect"


def test_a_route_of_another_branch_is_not_there(premises: Premises, ringing: tuple[int, int]) -> None:
    sue = premises.program_of(premises.people.sue)
    known, unknown = sue.get(f"routes/{NUMBER}"), sue.get("routes/+15005550199")
    assert (known.status, unknown.status) == (404, 404)
    assert known.detail == unknown.detail


def test_a_call_is_shown_with_its_events_its_facts_and_why(
    premises: Premises, ada: Integrator, ringing: tuple[int, int]
) -> None:
    call = a_call(NUMBER)
    premises.board.ring(NUMBER, CallSid=call["CallSid"])
    form = "&".join(f"{k}={v}" for k, v in {**call, "CallStatus": "completed", "CallDuration": "31"}.items())
    assert premises.board.post("/webhooks/twilio/status", form.replace("+", "%2B")).status_code == 204
    premises.board.drain()
    (listed,) = ada.get(f"calls?campaign_id={ringing[0]}").json["items"]
    shown = ada.get(f"calls/{listed['id']}").json
    assert (shown["decision"], shown["explanation"]["reason"]) == ("connect", "live")
    assert shown["explanation"]["facts"]["connects to"] == BAKERY
    assert shown["duration_seconds"] == 31
    assert [event["fields"]["CallStatus"] for event in shown["events"]] == ["completed"]
    assert "CallToken" not in str(shown)


def test_a_recording_is_uploaded_played_and_replaced(ada: Integrator) -> None:
    made = ada.upload(
        "POST", "prompts/recordings", name="We have moved", file=(io.BytesIO(a_sound()), "a.wav")
    )
    assert (made.status, made.json["kind"], made.json["seconds"]) == (201, "recording", 0.5)
    path = f"prompts/{made.json['id']}"
    assert made.response.headers["Location"] == f"/api/v1/{path}"
    audio = ada.get(f"{path}/audio")
    assert (audio.response.mimetype, audio.response.data[:4]) == ("audio/wav", b"RIFF")
    assert ada.get(f"{path}/audio", If_None_Match=audio.etag).status == 304
    again = ada.upload("PUT", f"{path}/audio", file=(io.BytesIO(a_sound(1.0)), "b.wav"))
    assert (again.status, again.json["seconds"]) == (200, 1.0)


def test_what_is_no_recording_is_refused(ada: Integrator, otis: Integrator) -> None:
    text = (io.BytesIO(b"no sound at all"), "a.wav")
    assert list(ada.upload("POST", "prompts/recordings", name="x", file=text).wrong) == ["file"]
    form = "multipart/form-data; boundary=x"
    without = ada.post("prompts/recordings", b"--x--", Content_Type=form)
    assert list(without.wrong) == ["file"]
    assert ada.post("prompts/recordings", {"name": "x"}).status == 415
    large = bytes(8 * 1024**2 + 1)
    assert ada.post("prompts/recordings", large, Content_Type=form).status == 413
    sound = (io.BytesIO(a_sound()), "a.wav")
    assert otis.upload("POST", "prompts/recordings", name="x", file=sound).status == 403


def test_a_text_is_a_prompt_without_a_recording(ada: Integrator) -> None:
    made = ada.post("prompts", {"name": "Moved", "text": "Please call the bakery.", "language": "en"})
    assert (made.status, made.json["kind"]) == (201, "text")
    assert ada.get(f"prompts/{made.json['id']}/audio").status == 404
    assert ada.patch(f"prompts/{made.json['id']}", {"text": "Call us."}).json["text"] == "Call us."
    assert ada.delete(f"prompts/{made.json['id']}").status == 204


def test_groups_inherit_and_move_but_never_below_themselves(premises: Premises, ada: Integrator) -> None:
    north = f"groups/{premises.people.north}"
    assert ada.get(north).json["in_force"]["includes_referral"] is True
    east = ada.post("groups", {"name": "East", "parent_id": premises.people.north}).json["id"]
    assert ada.post(f"{north}/move", {"parent_id": east}).status in {409, 422}
    assert ada.post(f"groups/{east}/move", {"parent_id": premises.people.south}).status == 200
    assert ada.delete(f"groups/{east}").status == 204


def test_filters_are_saved_and_reset(ada: Integrator, otis: Integrator) -> None:
    ada.post("saved-filters", {"page": "campaigns", "query": "state=live"})
    ada.post("saved-filters", {"page": "campaigns", "query": "state=ended"})
    assert [kept["query"] for kept in ada.get("saved-filters").json["items"]] == ["state=ended"]
    assert otis.get("saved-filters/campaigns").status == 404
    assert ada.delete("saved-filters/campaigns").status == 204
    assert ada.get("saved-filters/campaigns").status == 404


def test_the_trail_names_who_changed_what_by_which_door(
    premises: Premises, ada: Integrator, ringing: tuple[int, int]
) -> None:
    ada.patch(f"campaigns/{ringing[0]}", {"name": "Poster"})
    entry = ada.get(f"audit-entries?entity=campaign&entity_id={ringing[0]}").json["items"][0]
    told = (entry["field"], entry["old"], entry["new"], entry["user_id"], entry["via"])
    assert told == ("name", "Leaflet", "Poster", premises.people.ada.id, "api")
    assert abs(datetime.fromisoformat(entry["at"]) - datetime.now(UTC)).total_seconds() < 60


def test_lists_go_on_where_the_page_before_ended(ada: Integrator) -> None:
    for name in ("one", "two", "three"):
        ada.post("campaigns", {"name": name})
    first = ada.get("campaigns?limit=2&sort=created_at&count=true").json
    rest = ada.get(f"campaigns?limit=2&sort=created_at&cursor={first['next_cursor']}").json
    assert [item["name"] for item in first["items"] + rest["items"]] == ["one", "two", "three"]
    assert (first["total"], rest["next_cursor"]) == (3, None)

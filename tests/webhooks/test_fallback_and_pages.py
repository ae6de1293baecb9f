"""The fallback, the pages for machines and the recorded prompts."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from models.prompt import PromptAudio
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from scripts import leaving
from tests.builders import NOW, a_campaign, a_group, a_number, a_plan, a_recorded_prompt
from tests.webhooks.conftest import MakeSwitchboard
from tests.webhooks.switchboard import Heard, Switchboard, a_call

FALLBACK = "/webhooks/twilio/fallback"


def test_the_fallback_apologises_without_redis_or_sql(
    make_switchboard: MakeSwitchboard, tmp_path: Path
) -> None:
    board = make_switchboard(
        database_url=f"sqlite:///{tmp_path}/nowhere/none.db", redis_url=f"unix://{tmp_path}/none.sock"
    )
    form = a_call("+15005550100", ErrorCode="11200", ErrorUrl="https://calls.example.com/voice")
    heard = Heard(board.post(FALLBACK, urlencode(form)))
    assert heard.verbs == ["Say", "Hangup"]


def test_the_fallback_refuses_who_cannot_sign(switchboard: Switchboard) -> None:
    assert switchboard.web.post(FALLBACK, data=a_call("+15005550100")).status_code == 403


def test_the_fallback_refuses_another_account(switchboard: Switchboard) -> None:
    form = a_call("+15005550100", AccountSid="AC" + "9" * 32)
    assert switchboard.post(FALLBACK, urlencode(form)).status_code == 403


def test_healthz_says_that_the_process_is_alive(switchboard: Switchboard) -> None:
    assert switchboard.web.get("/healthz").text == "alive\n"


def test_readyz_is_ready_with_a_built_index(switchboard: Switchboard) -> None:
    switchboard.rebuild_index()
    response = switchboard.web.get("/readyz")
    assert (response.status_code, response.text) == (200, "index: ok\ndatabase: ok\nsnapshot: unreachable\n")


def test_readyz_is_not_ready_where_no_call_could_be_routed(
    make_switchboard: MakeSwitchboard, tmp_path: Path
) -> None:
    board = make_switchboard(
        database_url=f"sqlite:///{tmp_path}/nowhere/none.db", redis_url=f"unix://{tmp_path}/none.sock"
    )
    response = board.web.get("/readyz")
    assert (response.status_code, response.text) == (
        503,
        "index: unreachable\ndatabase: unreachable\nsnapshot: unreachable\n",
    )


def test_readyz_says_no_as_soon_as_the_server_is_about_to_stop(
    switchboard: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    switchboard.rebuild_index()
    monkeypatch.setattr(leaving, "_notice", bytearray(1))
    assert switchboard.web.get("/readyz").status_code == 200
    leaving.announce()
    response = switchboard.web.get("/readyz")
    assert (response.status_code, response.text) == (503, "stopping\n")
    assert switchboard.web.get("/healthz").status_code == 200


@pytest.fixture
def recording(switchboard: Switchboard) -> tuple[str, bytes]:
    """The path of a recorded prompt as a caller's TwiML names it, and its audio."""
    audio = bytes(range(256)) * 40
    with switchboard.database.session() as session:
        group = a_group(session, plan_id=a_plan(session).id)
        prompt = a_recorded_prompt(session, audio, group_id=group.id)
        campaign = a_campaign(
            session,
            group_id=group.id,
            ends_at=NOW,
            end_of_campaign=EndOfCampaign.REFERRAL,
            prompt_id=prompt.id,
        )
        a_number(session, PhoneNumber("+15005550100"), campaign)
    switchboard.rebuild_index()
    heard = switchboard.ring("+15005550100", at=NOW)
    assert heard.verbs == ["Play", "Hangup"]
    return (heard.document.findtext("Play") or "").removeprefix(switchboard.settings.public_base_url), audio


def test_a_recorded_prompt_is_played_and_may_be_kept_for_ever(
    switchboard: Switchboard, recording: tuple[str, bytes]
) -> None:
    path, audio = recording
    response = switchboard.web.get(path)
    assert (response.status_code, response.data, response.mimetype) == (200, audio, "audio/wav")
    assert response.cache_control.immutable
    assert response.cache_control.public
    assert response.cache_control.max_age == 365 * 24 * 3600


def test_a_recorded_prompt_is_served_in_ranges(
    switchboard: Switchboard, recording: tuple[str, bytes]
) -> None:
    path, audio = recording
    response = switchboard.web.get(path, headers={"Range": "bytes=10-19"})
    assert (response.status_code, response.data) == (206, audio[10:20])
    assert response.headers["Content-Range"] == f"bytes 10-19/{len(audio)}"


def test_a_carrier_that_has_the_recording_is_told_so(
    switchboard: Switchboard, recording: tuple[str, bytes]
) -> None:
    path, _ = recording
    etag = switchboard.web.get(path).headers["ETag"]
    assert switchboard.web.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_a_recording_that_is_not_there_is_not_found(
    switchboard: Switchboard, recording: tuple[str, bytes]
) -> None:
    path, _ = recording
    assert switchboard.web.get(path.replace(path[-10], "0", 1).replace(".wav", ".mp3")).status_code == 404
    with switchboard.database.reading() as session:
        assert session.query(PromptAudio).count() == 1

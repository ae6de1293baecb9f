"""Plans, which admins of the whole account change, and prompts, which all admins do."""

import struct
import wave
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from admin import campaigns, plans, prompts
from admin.drafts import spelled
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from admin.lists import plans as plan_lists
from models.prompt import Prompt, PromptKind
from routing.index.layout import Layout
from routing.index.lookup import CampaignIndex
from routing.numbers import PhoneNumber
from routing.policy import State, state_of
from routing.route import Route
from scripts.index_keeping import IndexKeeper
from tests.admin.office import Office, problems
from tests.builders import NOW


def test_a_downgrade_stops_referral_at_the_next_call(office: Office, redis_client: redis.Redis) -> None:
    ended = office.campaign(
        office.olga,
        ends_at=spelled(NOW - timedelta(days=1)),
        end_of_campaign="referral",
        business_number="+14155550123",
    )
    office.number(office.olga, "+14155550188", ended)
    assert _state_in_the_index(office, redis_client) is State.REFERRAL
    with office.writing(office.ada) as session:
        plans.revise(session, office.ada, office.full, {"includes_referral": False}, NOW)
    assert _state_in_the_index(office, redis_client) is State.ENDED


def test_a_plans_name_is_its_own(office: Office) -> None:
    with pytest.raises(Conflict), office.writing(office.ada) as session:
        plans.create(session, office.ada, {"name": "Basic"}, NOW)
    with pytest.raises(Conflict), office.writing(office.ada) as session:
        plans.revise(session, office.ada, office.full, {"name": "Basic"}, NOW)


@pytest.mark.parametrize("draft", [{}, {"name": ""}, {"name": "New", "includes_referral": "yes"}])
def test_a_plan_without_a_name_or_a_yes_or_no_is_refused(on_sqlite: Office, draft: dict[str, Any]) -> None:
    with pytest.raises(Invalid), on_sqlite.writing(on_sqlite.ada) as session:
        plans.create(session, on_sqlite.ada, draft, NOW)


def test_plans_are_for_admins_of_the_whole_account(office: Office) -> None:
    for actor in (office.otis, office.ned, office.writer(office.ada)):
        with pytest.raises(NotAllowed), office.writing(actor) as session:
            plans.create(session, actor, {"name": "New"}, NOW)
        with pytest.raises(NotAllowed), office.writing(actor) as session:
            plans.revise(session, actor, office.full, {"includes_referral": False}, NOW)
    for actor in (office.otis, office.ned):
        with pytest.raises(NotAllowed), office.reading() as session:
            plan_lists.page(session, actor, {}, NOW)
    with office.writing(office.ada) as session:
        assert plans.create(session, office.ada, {"name": "New"}, NOW).includes_referral is False
    with office.reading() as session:
        assert [p.groups for p in plan_lists.page(session, office.ada, {}, NOW).items] == [1, 1, 0]


def test_a_plan_that_is_not_there_is_not_revised(office: Office) -> None:
    with pytest.raises(NotThere), office.writing(office.ada) as session:
        plans.revise(session, office.ada, 999, {"name": "New"}, NOW)


def a_prompt(office: Office, **said: Any) -> int:
    with office.writing(office.ned) as session:
        return prompts.create(session, office.ned, {"name": "Goodbye", "text": "We moved."} | said, NOW).id


def stored(office: Office, prompt_id: int) -> Prompt:
    with office.reading() as session:
        return session.get_one(Prompt, prompt_id)


def test_a_text_is_stored_as_it_is_spoken(office: Office) -> None:
    prompt = stored(office, a_prompt(office, text="We\n  moved. ", language="es", voice="Polly.Lucia"))
    assert (prompt.text, prompt.language, prompt.voice) == ("We moved.", "es", "Polly.Lucia")
    assert (prompt.kind, prompt.group_id) == (PromptKind.TEXT, office.north)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("language", "xx"),
        ("language", "english"),
        ("voice", "Nobody"),
        ("text", "a" * 4001),
        ("text", "We \x00moved"),
        ("group_id", 999),
    ],
)
def test_what_cannot_be_said_is_refused(on_sqlite: Office, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        a_prompt(on_sqlite, **{field: value})
    assert problems(refusal).keys() == {field}


def test_an_empty_text_is_the_standard_wording(on_sqlite: Office) -> None:
    assert stored(on_sqlite, a_prompt(on_sqlite, text=" ")).text is None


def test_a_recording_is_kept_as_the_telephone_carries_it(office: Office) -> None:
    with office.writing(office.ned) as session:
        draft = {"name": "Spoken", "language": "de"}
        made = prompts.create_recording(session, office.ned, draft, prompts.heard(_a_sound()), NOW)
        prompt_id = made.id
    first = stored(office, prompt_id)
    assert (first.kind, first.language) == (PromptKind.RECORDING, "de")
    with office.writing(office.ned) as session:
        prompts.record_again(session, office.ned, prompt_id, prompts.heard(_a_sound(seconds=2)), NOW)
    assert stored(office, prompt_id).digest != first.digest


def test_a_file_that_is_no_sound_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        prompts.heard(b"MZ not a sound")
    assert problems(refusal).keys() == {"file"}


def test_a_recording_takes_no_text(office: Office) -> None:
    with office.writing(office.ned) as session:
        made = prompts.create_recording(session, office.ned, {"name": "S"}, prompts.heard(_a_sound()), NOW)
        with pytest.raises(Invalid) as refusal:
            prompts.revise(session, office.ned, made.id, {"text": "We moved.", "voice": "man"}, NOW)
    assert problems(refusal).keys() == {"text", "voice"}


def test_a_prompt_is_archived_when_no_campaign_uses_it(office: Office) -> None:
    prompt_id = a_prompt(office)
    campaign = office.campaign(office.ned, prompt_id=prompt_id)
    with pytest.raises(Conflict), office.writing(office.ned) as session:
        prompts.archive(session, office.ned, prompt_id, {}, NOW)
    with office.writing(office.ned) as session:
        campaigns.revise(session, office.ned, campaign, {"prompt_id": None}, NOW)
        assert prompts.archive(session, office.ned, prompt_id, {}, NOW).archived_at == NOW
    with pytest.raises(Invalid, match="archived"):
        office.campaign(office.ned, prompt_id=prompt_id)


def test_prompts_are_for_the_admins_of_their_subtree(office: Office) -> None:
    prompt_id = a_prompt(office)
    for actor, refusal in ((office.sam, NotThere), (office.bert, NotThere), (office.olga, NotAllowed)):
        with pytest.raises(refusal), office.writing(actor) as session:
            prompts.revise(session, actor, prompt_id, {"name": "New"}, NOW)
        with pytest.raises(refusal), office.writing(actor) as session:
            prompts.archive(session, actor, prompt_id, {}, NOW)
    with pytest.raises(NotAllowed), office.writing(office.olga) as session:
        prompts.create(session, office.olga, {"name": "New"}, NOW)


def _state_in_the_index(office: Office, client: redis.Redis) -> State:
    with capture_logs():
        IndexKeeper(office.database, client, Layout()).keep()
    route = CampaignIndex(client, Layout()).route_of(PhoneNumber("+14155550188"))
    assert isinstance(route, Route)
    assert route.campaign is not None
    return state_of(route.campaign, NOW)


def _a_sound(seconds: int = 1) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack("<h", 1000) * 8000 * seconds)
    return file.getvalue()

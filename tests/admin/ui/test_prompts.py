"""The pages of prompts: the list, what callers hear, words and recordings, form by form."""

import re

import pytest
from flask import Request

from admin.ui.prompt_wording import LANGUAGES
from models.prompt import Prompt, PromptKind
from prompts import phrases
from tests.admin.knocks import a_sound
from tests.admin.ui.visits import Page, Visit, stored, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_recorded_prompt, a_text_prompt

SPOKEN = "4 1 5, 5 5 5, 0 1 9 0"


def words(world: World, **said: object) -> int:
    with writing(world) as session:
        return a_text_prompt(session, **({"group_id": world.north} | said)).id


def recording(world: World) -> int:
    with writing(world) as session:
        return a_recorded_prompt(session, a_sound(), group_id=world.north).id


def made(world: World, page: Page) -> Prompt:
    assert page.status == 303, page.errors
    return stored(world, Prompt, int(page.went_to.removeprefix("/prompts/")))


def test_the_list_tells_what_callers_hear(world: World, nora: Visit) -> None:
    words(world, name="French one", language="fr")
    words(world, name="Own one", text="Call {business_number}.")
    recording(world)
    page = nora.get("/prompts")
    assert "French one Words standard wording French" in page.text
    assert phrases.of("fr").ended in page.text
    assert f"Call {SPOKEN}." in page.text
    assert 'src="/prompts/' in page.source


def test_every_language_has_a_name() -> None:
    assert tuple(LANGUAGES) == phrases.LANGUAGES


def test_every_link_leads_to_a_page(world: World, nora: Visit) -> None:
    used, heard = words(world), recording(world)
    with writing(world) as session:
        a_campaign(session, group_id=world.north, prompt_id=used)
    for path in (
        "/prompts",
        f"/prompts/{used}",
        f"/prompts/{heard}",
        f"/prompts/{used}/edit",
        "/prompts/upload",
    ):
        links = {link for link in nora.get(path).links if not re.search(r"download|\.wav", link)}
        assert {link: nora.get(link).status for link in links} == dict.fromkeys(links, 200)


def test_words_are_written_with_all_that_was_typed(world: World, nora: Visit) -> None:
    typed = {
        "name": "Moved",
        "language": "es",
        "voice": "Polly.Lupe",
        "text": " Al {business_number}. ",
    }
    prompt = made(world, nora.post("/prompts/new", **typed, group_id=world.north))
    assert (prompt.name, prompt.language, prompt.voice) == ("Moved", "es", "Polly.Lupe")
    assert (prompt.kind, prompt.text) == (PromptKind.TEXT, "Al {business_number}.")
    assert f"Al {SPOKEN}." in nora.get(f"/prompts/{prompt.id}").text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("language", "xx"),
        ("voice", "Nobody"),
        ("text", "Call {nobody}"),
        ("group_id", "999999999"),
    ],
)
def test_errors_of_words_stand_beside_their_fields(world: World, nora: Visit, field: str, typed: str) -> None:
    plain = {"name": "Moved", "language": "en", "group_id": world.north, "text": "kept as typed"}
    page = nora.post("/prompts/new", **(plain | {field: typed}))
    assert (page.status, set(page.errors)) == (422, {field})
    assert field == "text" or "kept as typed" in page.source


def test_the_preview_says_what_callers_would_hear(nora: Visit) -> None:
    assert SPOKEN in nora.post("/prompts/preview", language="en", text="").text
    assert (
        "Ring Bay Bakery." in nora.post("/prompts/preview", language="en", text="Ring {business_name}.").text
    )
    assert phrases.of("de").ended in nora.post("/prompts/preview", language="de", text=" ").text


def test_a_sound_file_becomes_a_prompt_that_is_drawn_and_played(world: World, nora: Visit) -> None:
    sent = {"name": "Jingle", "language": "en", "group_id": world.north, "file": a_sound()}
    prompt = made(world, nora.post("/prompts/upload", **sent))
    assert (prompt.name, prompt.kind) == ("Jingle", PromptKind.RECORDING)
    page = nora.get(f"/prompts/{prompt.id}")
    assert "data-wave" in page.source
    assert f"/prompts/{prompt.id}/{prompt.digest}.wav" in page.source
    assert "0.5 seconds" in page.text


@pytest.mark.parametrize(
    ("file", "told"),
    [(b"", "Choose a sound file"), (b"no sound", "no audio file"), (None, "Choose a sound file")],
)
def test_what_is_no_sound_is_told_beside_the_file(
    world: World, nora: Visit, file: bytes | None, told: str
) -> None:
    sent = {"name": "Jingle", "language": "en", "group_id": world.north}
    page = nora.post("/prompts/upload", **sent, **({} if file is None else {"file": file}))
    assert page.status == 422
    assert told in page.text
    assert page.typed("name") == "Jingle"


def test_a_prompt_is_edited_and_its_history_says_so(world: World, nora: Visit) -> None:
    prompt_id = words(world, name="Old")
    assert nora.post(f"/prompts/{prompt_id}/edit", name="New", language="fr", text="").status == 303
    prompt = stored(world, Prompt, prompt_id)
    assert (prompt.name, prompt.language, prompt.text) == ("New", "fr", None)
    assert "Name Old New" in nora.get(f"/prompts/{prompt_id}").text
    assert nora.post(f"/prompts/{prompt_id}/edit", name="", language="fr").errors == {"name": "Is mandatory"}


def test_words_are_replaced_by_a_recording(world: World, nora: Visit) -> None:
    prompt_id = words(world, text="Own")
    assert nora.post(f"/prompts/{prompt_id}/sound", file=b"none").status == 422
    assert nora.post(f"/prompts/{prompt_id}/sound", file=a_sound()).status == 303
    prompt = stored(world, Prompt, prompt_id)
    assert (prompt.kind, prompt.text) == (PromptKind.RECORDING, None)
    edit = nora.get(f"/prompts/{prompt_id}/edit")
    assert 'name="text"' not in edit.source
    assert nora.post(f"/prompts/{prompt_id}/edit", name="Still", language="en").status == 303


def test_a_prompt_names_the_campaigns_that_use_it_and_outlasts_them(world: World, nora: Visit) -> None:
    prompt_id = words(world)
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, prompt_id=prompt_id, name="Leaflet").id
    page = nora.get(f"/prompts/{prompt_id}")
    assert f"/campaigns/{campaign}" in page.links
    assert f"/prompts/{prompt_id}/archive" not in page.links
    assert nora.post(f"/prompts/{prompt_id}/archive").status == 303
    assert stored(world, Prompt, prompt_id).archived_at is None
    nora.post(f"/campaigns/{campaign}/archive")
    assert nora.post(f"/prompts/{prompt_id}/archive").status == 303
    assert stored(world, Prompt, prompt_id).archived_at is not None
    assert f"/prompts/{prompt_id}/edit" not in nora.get(f"/prompts/{prompt_id}").links
    assert nora.post(f"/prompts/{prompt_id}/edit", name="N", language="en").status == 422


def test_a_standard_user_reads_prompts_and_changes_none(world: World, otis: Visit) -> None:
    prompt_id = words(world, name="Readable")
    assert "Readable" in otis.get("/prompts").text
    page = otis.get(f"/prompts/{prompt_id}")
    assert (page.status, "/prompts/new" in otis.get("/prompts").links) == (200, False)
    assert f"/prompts/{prompt_id}/edit" not in page.links


def test_a_file_that_is_too_large_is_told_in_words(nora: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "max_content_length", 1000)
    page = nora.post("/prompts/upload", name="Long", file=bytes(1001))
    assert (page.status, "larger than 8 MB" in page.text) == (413, True)

"""What admins do with prompts, tokens, the block list and the audit log."""

import re

from playwright.sync_api import FilePayload, expect

from tests.admin.knocks import a_sound
from tests.browser.walk import Walk

TABS = ("tokens", "blocks", "audit")


def test_words_are_written_heard_and_replaced_by_a_recording(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Prompts")
    expect(walk.row("Radio, Spanish")).to_contain_text("El número que ha marcado")
    assert walk.find_barriers() == []
    walk.open("Write words")
    window = walk.window
    window.get_by_label("Name", exact=False).first.fill("We have moved")
    window.get_by_label("Words").fill("Ring {business_number}.")
    expect(window.get_by_text("Ring 4 1 5, 5 5 5, 0 1 9 0.")).to_be_visible()
    window.get_by_label("Language").select_option("de")
    window.get_by_label("Words").fill("")
    expect(window.get_by_text("Um Bay Bakery zu erreichen")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Create").click()
    walk.sees("The prompt is there.")
    walk.sees("Die von Ihnen gewählte Rufnummer")
    assert walk.find_barriers() == []
    walk.open("Replace by a recording…")
    with walk.expecting(422):
        window.get_by_role("button", name="Upload").click()
        expect(window.get_by_text("Choose a sound file")).to_be_visible()
    sound = FilePayload(name="moved.wav", mimeType="audio/wav", buffer=a_sound())
    window.get_by_label("Sound file").set_input_files(sound)
    expect(window.get_by_text("moved.wav, 0.0 MB")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Upload").click()
    walk.sees("The next caller already hears the recording.")
    expect(walk.page.locator("audio")).to_have_js_property("duration", 0.5)
    walk.page.get_by_role("img", name="How loud").click()
    played = walk.page.locator("[data-wave] rect")
    expect(played).to_have_attribute("width", re.compile(r"^(9\d|1\d\d|200)\b"))
    assert walk.find_barriers() == []


def test_callers_are_blocked_and_the_audit_log_tells_who_did_it(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Settings")
    assert walk.find_barriers() == []
    walk.open("Block list")
    walk.open("Block callers")
    window = walk.window
    window.get_by_label("Callers").fill("+1 (415) 555-0142")
    window.get_by_label("Reason").fill("rings all day")
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Block").click()
    expect(walk.row("+1 415-555-0142")).to_contain_text("rings all day")
    assert walk.find_barriers() == []
    assert "reject (blocked_caller)" in walk.house.call("+15005550100")
    walk.press("Lift the block of +14155550142")
    walk.sees("These callers come through again")
    walk.open("Audit log")
    expect(walk.page.get_by_role("row").nth(1)).to_contain_text("Lifted")
    assert walk.find_barriers() == []
    walk.page.get_by_label("What", exact=True).select_option(label="Prompt")
    expect(walk.page.get_by_role("row").nth(1)).to_contain_text("Radio, German")
    walk.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/prompts", "/prompts/1", "/prompts/upload", *(f"/settings/{tab}" for tab in TABS)):
        walk.go(path)
        assert walk.page.evaluate("document.documentElement.scrollWidth") <= 390, path

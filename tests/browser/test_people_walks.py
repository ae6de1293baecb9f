"""What admins do with groups and with the people in them; and what stands on the home page."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.house import OWNER
from tests.browser.walk import Walk


def test_home_shows_the_morning_and_follows_it(walk: Walk) -> None:
    house = walk.house
    house.ring("+15005550100", ends="completed")
    house.ring("+15005550107", at=datetime.now(UTC) - timedelta(minutes=1))
    house.ring("+15005550101")
    house.write_log()
    walk.sign_in()
    walk.menu("Home")
    walk.sees("Needs attention")
    walk.sees("ringing or connected")
    expect(walk.row("+1 500-555-0107")).to_contain_text("Winter poster")
    walk.page.get_by_text("All checks").click()
    walk.sees("edits on their way to calls")
    assert walk.find_barriers() == []
    walk.open("All calls of today")
    expect(walk.page.get_by_role("heading", name="Calls")).to_be_visible()


def test_a_group_is_created_changed_moved_and_archived(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Groups")
    expect(walk.row("Bay Bakery North")).to_be_visible()
    assert walk.find_barriers() == []
    walk.open("Create")
    window = walk.window
    expect(window.get_by_label("Name mandatory")).to_be_focused()
    assert walk.find_barriers() == []
    window.get_by_label("Talk limit").fill("long")
    with walk.expecting(422):
        window.get_by_role("button", name="Create").click()
        expect(window.get_by_text("Is mandatory", exact=True)).to_be_visible()
    expect(window.get_by_label("Talk limit")).to_have_value("long")
    assert walk.find_barriers() == []
    window.get_by_label("Talk limit").fill("90")
    window.get_by_label("Name mandatory").fill("Bay Bakery East")
    window.get_by_role("button", name="Create").click()
    walk.sees("The group is created.")
    expect(walk.row("Talk limit")).to_contain_text("90 minutes")
    expect(walk.row("Plan").get_by_role("link", name="Bay Bakery")).to_be_visible()
    assert walk.find_barriers() == []
    walk.open("Edit")
    window.get_by_label("Talk limit").fill("")
    window.get_by_role("button", name="Save").click()
    walk.sees("Saved. It counts from the next call on.")
    expect(walk.row("Talk limit")).to_contain_text("4 hours")
    walk.open("Move…")
    window.get_by_label("New group above").select_option(label="\u2003Bay Bakery North")
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Move").click()
    walk.sees("The group is moved.")
    walk.open("Archive…")
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Archive").click()
    walk.sees("The group is archived.")
    walk.page.keyboard.press("/")
    walk.page.keyboard.type("north")
    expect(walk.row("Bay Bakery South")).to_have_count(0)
    expect(walk.row("Bay Bakery North")).to_be_visible()


def test_somebody_is_invited_comes_in_and_is_disabled(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Users")
    expect(walk.row("Otis Owner")).to_contain_text(OWNER)
    assert walk.find_barriers() == []
    walk.open("Invite")
    window = walk.window
    expect(window.get_by_label("E-mail mandatory")).to_be_focused()
    assert walk.find_barriers() == []
    window.get_by_label("E-mail mandatory").fill("bea")
    window.get_by_label("Name mandatory").fill("Bea Baker")
    with walk.expecting(422):
        window.get_by_role("button", name="Invite").click()
        expect(window.get_by_text("Is not an e-mail address")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_label("E-mail mandatory").fill("bea@example.com")
    window.get_by_role("button", name="Invite").click()
    expect(window.get_by_role("heading", name="Invitation for Bea Baker")).to_be_visible()
    assert walk.find_barriers() == []
    assert "/password#" in window.locator("code").inner_text()
    window.get_by_role("link", name="Done").click()
    walk.page.get_by_role("link", name="Bea Baker").click()
    walk.sees("none yet: the invitation was not used")
    walk.menu("Users")
    walk.page.get_by_role("link", name="Otis Owner").click()
    assert walk.find_barriers() == []
    walk.open("Disable…")
    with walk.expecting(422):
        window.get_by_role("button", name="Disable").click()
        expect(window.get_by_text("Is mandatory:")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_label("Who takes over").select_option(label="Bea Baker")
    window.get_by_role("button", name="Disable").click()
    walk.sees("signed out everywhere")
    walk.press("Enable")
    walk.sees("The user may sign in again.")


def test_the_pages_of_groups_and_users_fit_on_a_phone(walk: Walk) -> None:
    walk.page.set_viewport_size({"width": 390, "height": 844})
    walk.sign_in()
    for path in ("/", "/groups", "/groups/2", "/groups/2/edit", "/users", "/users/2", "/users/new"):
        walk.go(path)
        assert walk.page.evaluate("document.documentElement.scrollWidth") <= 390, path

"""What operators do with tracking numbers, from the first one to the day it is given back."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import numbers
from admin.access.actor import Actor
from models.group import Group
from models.user import Role, User
from tests.browser.house import OWNER
from tests.browser.walk import Walk


def test_a_number_is_created_from_its_campaign_with_the_defaults_of_the_group(walk: Walk) -> None:
    def give_defaults(session: Session) -> None:
        north = session.scalars(select(Group).where(Group.name == "Bay Bakery North")).one()
        north.default_whisper, north.default_ring_timeout = "A call from an advertisement.", 40

    walk.house.write(give_defaults)
    walk.sign_in()
    walk.go("/tracking-numbers")
    walk.open("Create")
    window = walk.window
    expect(window.get_by_label("Number mandatory")).to_be_focused()
    assert walk.find_barriers() == []
    window.get_by_label("Ring timeout").fill("30")
    window.get_by_label("Campaign").select_option(label="Leaflet (LEAFLET-1)")
    expect(window.get_by_text("defaults of Bay Bakery North")).to_be_visible()
    expect(window.get_by_label("Whisper")).to_have_value("A call from an advertisement.")
    expect(window.get_by_label("Ring timeout")).to_have_value("30")
    window.get_by_label("Number mandatory").fill("+1 500 555 0100")
    with walk.expecting(422):
        window.get_by_role("button", name="Create").click()
        expect(window.get_by_text("This number is held already")).to_be_visible()
    expect(window.get_by_label("Ring timeout")).to_have_value("30")
    window.get_by_label("Number mandatory").fill("+1 500 555 0150")
    window.get_by_role("button", name="Create").click()
    expect(window.get_by_role("heading", name="Tracking number created")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_role("link", name="Open the number").click()
    walk.sees("(500) 555-0150")
    walk.sees("A call from an advertisement.")
    walk.sees("30 s")
    assert "connect (live)" in walk.house.call("+15005550150")


def test_the_grid_finds_keeps_and_downloads_numbers(walk: Walk, tmp_path: Path) -> None:
    walk.sign_in()
    walk.menu("Tracking numbers")
    expect(walk.row("+1 500-555-0100")).to_contain_text("(500) 555-0100")
    assert walk.find_barriers() == []
    walk.page.keyboard.press("/")
    expect(walk.page.get_by_label("Number", exact=True)).to_be_focused()
    walk.page.get_by_label("Name", exact=True).fill("page")
    expect(walk.row("+1 500-555-0103")).to_have_count(0)
    expect(walk.row("+1 500-555-0101")).to_contain_text("A call from the back of the leaflet.")
    walk.press("Save filters")
    walk.sees("Filters saved")
    walk.menu("Home")
    walk.menu("Tracking numbers")
    assert "q=page" in walk.path
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("CSV", tmp_path)
    rows = list(csv.DictReader(saved.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["number"] for row in rows] == ["+15005550100", "+15005550101", "+15005550102"]
    assert [row["campaign_external_id"] for row in rows] == ["LEAFLET-1", "LEAFLET-1", ""]
    walk.go("/tracking-numbers?q=page")
    walk.press("Reset to default")
    expect(walk.row("+1 500-555-0103")).to_be_visible()
    walk.page.get_by_label("Status").select_option("released")
    expect(walk.row("+1 500-555-0112")).to_be_visible()
    expect(walk.row("+1 500-555-0103")).to_have_count(0)


def test_an_edit_over_somebody_elses_shows_both_and_loses_nothing(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/tracking-numbers/1")
    walk.open("Edit")
    window = walk.window
    window.get_by_label("Name (optional)").fill("mine")
    with walk.house.database.reading() as session:
        owner = session.scalars(select(User).where(User.email == OWNER)).one()
        actor = Actor(owner.id, owner.group_id, Role.STANDARD, "UTC")
    with walk.house.database.session(actor.author) as session:
        numbers.revise(session, actor, 1, {"name": "theirs"}, datetime.now(UTC))
    with walk.expecting(409):
        window.get_by_role("button", name="Save").click()
        expect(window.get_by_role("alert")).to_contain_text("Otis Owner saved this tracking number")
    expect(window.get_by_role("row", name="Name theirs mine")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Save mine over it").click()
    walk.sees("Saved. The next call already hears the difference.")
    walk.sees("mine")


def test_a_number_moves_to_another_campaign_and_is_released_after_a_look_at_its_calls(walk: Walk) -> None:
    house = walk.house
    house.ring("+15005550100", ends="completed", at=datetime.now(UTC) - timedelta(hours=1))
    house.write_log()
    walk.sign_in()
    walk.go("/tracking-numbers/1")
    walk.sees("Connected to +1 415-555-0190, talked for 42 s")
    assert walk.find_barriers() == []
    walk.open("Move…")
    with walk.expecting(422):
        walk.window.get_by_role("button", name="Move").click()
        expect(walk.window.get_by_text("Choose where it goes")).to_be_visible()
    assert walk.find_barriers() == []
    walk.window.get_by_label("To the campaign").select_option(label="Website")
    walk.window.get_by_role("button", name="Move").click()
    walk.sees("Moved.")
    expect(walk.page.get_by_role("main").get_by_role("link", name="Website")).to_be_visible()
    house.ring("+15005550100")
    house.write_log()
    walk.go("/tracking-numbers/1")
    walk.sees("Rang +1 415-555-0191, ringing now")
    walk.open("Release…")
    expect(walk.window.get_by_text("2 calls in the last 30 days.")).to_be_visible()
    with walk.expecting(422):
        walk.window.get_by_role("button", name="Release").click()
        expect(walk.window.get_by_text("Tick this if it shall go although it is in use.")).to_be_visible()
    assert walk.find_barriers() == []
    walk.window.get_by_label("Release it all the same").check()
    walk.window.get_by_role("button", name="Release").click()
    walk.sees("Released. Whoever dials it now is not answered.")
    assert "released" in house.call("+15005550100")
    walk.sees("The carrier gets it back at")
    assert walk.find_barriers() == []
    walk.press("Have it back")
    walk.sees("The number is held again, as it was.")
    walk.sees("active")


def test_a_standard_user_manages_numbers_of_his_own_campaigns_only(walk: Walk) -> None:
    walk.sign_in(OWNER)
    walk.go("/tracking-numbers/14")
    walk.sees("You can look at it")
    expect(walk.page.get_by_role("link", name="Release…")).to_have_count(0)
    with walk.expecting(403):
        walk.go("/tracking-numbers/14/release")
        walk.sees("You may not do this")
    walk.go("/tracking-numbers/1")
    expect(walk.page.get_by_role("link", name="Release…")).to_be_visible()

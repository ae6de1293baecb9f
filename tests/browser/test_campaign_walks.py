"""What operators do with campaigns, from the first click to what a caller hears."""

import csv
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import campaigns
from admin.access.actor import Actor
from models.campaign import Campaign
from models.group import Group
from models.user import Role, User
from tests.browser.house import ADMIN, OWNER, House
from tests.browser.walk import Walk

THERE = ZoneInfo("America/Los_Angeles")


def typed(moment: datetime) -> str:
    return moment.astimezone(THERE).strftime("%Y-%m-%dT%H:%M")


def test_a_campaign_is_created_and_goes_on_to_its_first_number(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Campaigns")
    walk.open("Create")
    window = walk.window
    expect(window.get_by_label("Campaign Name")).to_be_focused()
    assert walk.find_barriers() == []
    with walk.expecting(422):
        window.get_by_role("button", name="Next").click()
        expect(window.get_by_text("Is mandatory", exact=True)).to_be_visible()
    window.get_by_label("External ID").fill("SUMMER-7")
    window.get_by_label("Campaign Name").fill("Summer")
    window.get_by_role("button", name="Next").click()
    expect(window.get_by_role("heading", name="Campaign created")).to_be_visible()
    assert walk.find_barriers() == []
    provision = window.get_by_role("link", name="Provision a tracking number")
    assert "/tracking-numbers/orders/new?campaign_id=" in (provision.get_attribute("href") or "")
    window.get_by_role("link", name="Create another").click()
    expect(window.get_by_label("Campaign Name")).to_have_value("")
    window.get_by_label("Campaign Name").fill("Late in the year")
    window.get_by_role("button", name="Next").click()
    window.get_by_role("link", name="Close").nth(1).click()
    expect(walk.row("Late in the year")).to_contain_text("live")
    expect(walk.row("Summer")).to_contain_text("SUMMER-7")
    expect(walk.row("Summer")).to_contain_text("Never")


def test_active_switches_itself_to_no_while_the_start_lies_ahead(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/campaigns")
    walk.open("Create")
    window = walk.window
    window.get_by_label("Campaign Name").fill("Next month")
    window.locator("#starts_at").fill(typed(datetime.now(UTC) + timedelta(days=30)))
    window.locator("#starts_at").blur()
    expect(window.get_by_text("it switches itself to yes")).to_be_visible()
    expect(window.locator("[name=starts][value=at]")).to_be_checked()
    window.get_by_role("button", name="Next").click()
    expect(window.get_by_text("scheduled, starts in 29 days")).to_be_visible()


def test_referral_cannot_be_chosen_where_the_plan_lacks_it(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/campaigns")
    walk.page.locator("details.hs-picker summary").click()
    walk.page.get_by_label("Search groups").fill("south")
    walk.open("Bay Bakery South")
    walk.page.wait_for_url("**/campaigns?group_id=*")
    expect(walk.row("Market")).to_contain_text("not in the plan")
    walk.sees_not("Website")
    walk.open("Create")
    expect(walk.window.get_by_label("Referral: for 30 days")).to_be_disabled()
    expect(walk.window.get_by_text("Not in the plan of Bay Bakery South")).to_be_visible()
    walk.page.keyboard.press("Escape")
    expect(walk.window).to_have_count(0)
    # The group stays chosen on the way through other pages.
    walk.menu("Home")
    walk.menu("Campaigns")
    expect(walk.row("Market")).to_be_visible()
    walk.sees_not("Website")


def test_filters_are_kept_for_every_visit_until_they_are_reset(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Campaigns")
    expect(walk.row("Flyer")).to_be_visible()
    assert walk.transferred() < 300_000
    assert walk.find_barriers() == []
    walk.page.keyboard.press("/")
    expect(walk.page.get_by_label("Search")).to_be_focused()
    walk.page.get_by_text("Referral", exact=True).first.click()
    expect(walk.row("Flyer")).to_have_count(0)
    walk.page.get_by_label("Search").fill("spanish")
    expect(walk.row("Radio, German")).to_have_count(0)
    assert "state=referral" in walk.path
    assert "q=spanish" in walk.path
    walk.press("Save filters")
    walk.sees("Filters saved")
    walk.menu("Home")
    walk.menu("Campaigns")
    expect(walk.row("Radio, Spanish")).to_be_visible()
    expect(walk.row("Flyer")).to_have_count(0)
    assert "q=spanish" in walk.path
    walk.press("Reset to default")
    expect(walk.row("Flyer")).to_be_visible()
    walk.menu("Home")
    walk.menu("Campaigns")
    expect(walk.row("Flyer")).to_be_visible()
    walk.page.get_by_label("Search").fill("no such name")
    walk.sees("No campaign fits these filters")
    walk.go("/campaigns?sort=name")
    walk.open("Name")
    expect(walk.page.locator("tbody th").first).to_contain_text("Winter poster")


def test_a_download_holds_the_whole_filtered_list_and_opens_again(walk: Walk, tmp_path: Path) -> None:
    def rename(session: Session) -> None:
        session.scalars(select(Campaign).where(Campaign.name == "Radio")).one().name = "=1+1"

    walk.house.write(rename)
    walk.sign_in()
    walk.go("/campaigns?state=referral&sort=name")
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("CSV", tmp_path)
    rows = list(csv.DictReader(saved.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["name"] for row in rows] == ["'=1+1", "Radio, French", "Radio, German", "Radio, Spanish"]
    assert {row["business_number"] for row in rows} == {"+14155550190"}
    walk.go("/campaigns?state=referral&sort=name")
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("Excel", tmp_path)
    with zipfile.ZipFile(saved) as package:
        assert package.testzip() is None
        sheet = ET.fromstring(package.read("xl/worksheets/sheet1.xml"))
    texts = [cell.text for cell in sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}t")]
    assert "=1+1" in texts
    assert texts.count("+14155550190") == 8
    assert not list(sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f"))


def test_a_long_download_tells_how_far_it_is(walk: Walk, tmp_path: Path) -> None:
    walk.sign_in()
    walk.go("/campaigns?sort=name")
    make_it_long = "links => links.forEach(link => { link.dataset.rows = 2000; })"
    walk.page.locator("a[data-rows]").evaluate_all(make_it_long)
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("CSV", tmp_path)
    assert len(saved.read_text(encoding="utf-8-sig").splitlines()) == 11
    walk.sees(f"{saved.name} is complete.")
    with walk.expecting(422):
        walk.page.locator("a[data-rows]").first.evaluate("link => { link.href += '&starts_from=never'; }")
        walk.page.get_by_text("Download", exact=True).click()
        walk.page.get_by_role("link", name="CSV").click()
        walk.sees("write a day as 2026-03-31")


def test_an_edit_over_somebody_elses_shows_both_and_loses_nothing(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/campaigns/1")
    assert walk.find_barriers() == []
    walk.open("Edit")
    window = walk.window
    window.get_by_label("External ID").fill("MINE")
    with walk.house.database.session() as session:
        owner = session.scalars(select(User).where(User.email == OWNER)).one()
        actor = Actor(owner.id, owner.group_id, Role.ADMIN, "UTC")
        campaigns.revise(session, actor, 1, {"external_id": "THEIRS"}, datetime.now(UTC))
    with walk.expecting(409):
        window.get_by_role("button", name="Save").click()
        expect(window.get_by_role("alert")).to_contain_text("after you had opened it")
    expect(window.get_by_role("row", name="External ID THEIRS MINE")).to_be_visible()
    assert walk.find_barriers() == []
    window.get_by_role("button", name="Save mine over it").click()
    walk.sees("Saved. The next call already hears the difference.")
    walk.sees("MINE")
    walk.sees("THEIRS")


def test_callers_hear_the_difference_as_soon_as_a_campaign_is_ended(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/campaigns/2")
    walk.sees("Callers are connected to the business.")
    assert "connect (live)" in walk.house.call("+15005550102")
    walk.press("Show")
    expect(walk.page.locator("#answer")).to_contain_text("connect")
    walk.open("Edit")
    walk.window.get_by_label("Referral: for 30 days").check()
    walk.window.get_by_label("Business number", exact=True).fill("+1 415 555 0190")
    walk.window.get_by_label("Business name").fill("Bay Bakery")
    walk.window.get_by_role("button", name="Save").click()
    walk.sees("Saved.")
    walk.open("End…")
    expect(walk.window.get_by_text("For 30 days they hear")).to_be_visible()
    walk.window.get_by_role("button", name="End now").click()
    walk.sees("The campaign has ended.")
    walk.sees("referral, 29 days left")
    walk.sees("To reach Bay Bakery, please call")
    assert "To reach Bay Bakery, please call" in walk.house.call("+15005550102")
    assert walk.find_barriers() == []


def test_many_campaigns_are_paused_and_resumed_at_once(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/campaigns")
    walk.page.get_by_label("Choose Website").check()
    walk.page.get_by_label("Choose Leaflet").check()
    walk.sees("2 chosen")
    walk.press("Pause")
    walk.sees("2 campaigns paused.")
    expect(walk.row("Leaflet")).to_contain_text("paused")
    walk.page.get_by_label("Choose Leaflet").check()
    walk.press("Change owner…")
    assert walk.find_barriers() == []
    walk.window.get_by_label("New owner").select_option(label="Ada Admin")
    walk.window.get_by_role("button", name="Change owner").click()
    walk.sees("1 campaign given to the new owner.")
    expect(walk.row("Leaflet")).to_contain_text("Ada Admin")


def test_a_standard_user_manages_his_own_campaigns_and_only_looks_at_others(walk: Walk) -> None:
    def take_one_away(session: Session) -> None:
        campaign = session.scalars(select(Campaign).where(Campaign.name == "Website")).one()
        campaign.owner_id = session.scalars(select(User.id).where(User.email == ADMIN)).one()

    walk.house.write(take_one_away)
    walk.sign_in(OWNER)
    walk.menu("Campaigns")
    expect(walk.row("Leaflet").get_by_role("checkbox")).to_have_count(1)
    expect(walk.row("Website").get_by_role("checkbox")).to_have_count(0)
    walk.open("Website")
    walk.sees("Ada Admin and admins manage it")
    expect(walk.page.get_by_role("link", name="Edit")).to_have_count(0)
    with walk.expecting(403):
        walk.go(walk.path + "/edit")
        walk.sees("You may not do this")
        assert walk.find_barriers() == []


def test_what_lies_in_another_subtree_is_not_there(walk: Walk) -> None:
    def move_below(session: Session) -> None:
        south = session.scalars(select(Group.id).where(Group.name == "Bay Bakery South")).one()
        user = session.scalars(select(User).where(User.email == OWNER)).one()
        user.group_id = south

    walk.house.write(move_below)
    walk.sign_in(OWNER)
    walk.menu("Campaigns")
    expect(walk.row("Market")).to_be_visible()
    expect(walk.page.get_by_role("row")).to_have_count(2)
    with walk.expecting(404):
        walk.go("/campaigns/1")
        walk.sees("There is nothing here")


def test_the_pages_work_on_a_phone(walk: Walk) -> None:
    walk.page.set_viewport_size({"width": 390, "height": 844})
    walk.sign_in()
    walk.press("Menu")
    walk.menu("Campaigns")
    expect(walk.row("Leaflet")).to_be_visible()
    for path in ("/campaigns", "/campaigns/3", "/campaigns/new", "/account"):
        walk.go(path)
        assert walk.page.evaluate("document.documentElement.scrollWidth") <= 390, path
    walk.press("Menu")
    assert walk.find_barriers() == []


def test_a_campaign_is_created_without_javascript(browser: Browser, house: House) -> None:
    context = browser.new_context(java_script_enabled=False)
    walk = Walk(context, house)
    walk.sign_in()
    walk.go("/campaigns")
    walk.page.get_by_role("link", name="Create").click()
    walk.page.get_by_label("Campaign Name").fill("By form alone")
    walk.page.get_by_role("button", name="Next").click()
    walk.sees("Campaign created")
    walk.page.get_by_role("link", name="Close").first.click()
    expect(walk.row("By form alone")).to_be_visible()
    context.close()
    assert walk.troubles == []

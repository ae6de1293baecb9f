"""From a new campaign to a number that rings: provisioned on the page, bought by the worker."""

from playwright.sync_api import expect

from tests.browser.walk import Walk
from tests.scripts.numbers_at_hand import some_numbers


def test_a_new_campaign_gets_numbers_from_the_carrier_which_ring(walk: Walk) -> None:
    shop = walk.house.shop
    shop.sell(*some_numbers(6))
    walk.sign_in()
    walk.go("/campaigns")
    walk.open("Create")
    walk.window.get_by_label("Campaign name").fill("Balloons")
    walk.window.get_by_label("Destination").fill("+1 415 555 0190")
    walk.press("Next")
    walk.window.get_by_role("link", name="Provision a tracking number").click()
    walk.page.wait_for_url("**/tracking-numbers/orders/new?campaign_id=*")
    expect(walk.page.get_by_label("Campaign", exact=True).locator("option:checked")).to_have_text("Balloons")
    walk.page.get_by_label("Country").fill("US")
    walk.page.get_by_label("Area code").fill("415")
    assert walk.find_barriers() == []
    walk.press("Search")
    walk.page.get_by_label("Take +1 415-555-1002").check()
    expect(walk.page.get_by_label("Those that I ticked")).to_be_checked()
    walk.page.get_by_label("How many numbers like these").fill("2")
    expect(walk.page.get_by_label("So many like these")).to_be_checked()
    walk.page.get_by_label("Name (optional)").fill("Balloon {n}")
    assert walk.find_barriers() == []
    walk.press("Show what it comes to")
    walk.sees("2.30 USD a month")
    assert walk.find_barriers() == []
    assert shop.writes == []
    walk.press("Buy 2 numbers")
    walk.sees("0 of 2 ready")
    assert walk.find_barriers() == []
    walk.open("Open the campaign")
    walk.sees("0 of 2 ready")
    walk.page.get_by_role("link", name="Order").first.click()
    walk.house.look_after_numbers()
    walk.sees("2 of 2 ready")
    assert walk.find_barriers() == []
    walk.open("Open the campaign")
    expect(walk.row("+1 415-555-1001")).to_contain_text("Balloon 2")
    assert shop.numbers == ["+14155551000", "+14155551001"]
    assert "connect (live)" in walk.house.call("+14155551000")

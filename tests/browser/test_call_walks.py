"""What operators do with the call log: watch it, search it, take it home, understand one call."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.walk import Walk

_SOON = 20_000
"""Milliseconds within which the page has asked again."""


def test_new_calls_appear_by_themselves_and_end_before_the_eyes(walk: Walk) -> None:
    house = walk.house
    walk.sign_in()
    walk.menu("Calls")
    walk.sees("No calls yet")
    assert walk.find_barriers() == []
    form = house.ring("+15005550100", From="+13035550143")
    house.write_log()
    row = walk.page.locator("#calls tr")
    expect(row).to_have_count(1, timeout=_SOON)
    expect(row).to_contain_text("+1 303-555-0143")
    expect(row).to_contain_text("ringing")
    expect(walk.page.locator("#live-said")).to_contain_text("1 new call, at")
    walk.sees_not("No calls yet")
    house.end(form, "+14155550190", "completed")
    house.ring("+15005550107")
    house.write_log()
    expect(row).to_have_count(2, timeout=_SOON)
    expect(row.first).to_contain_text("Campaign ended")
    expect(row.last).to_contain_text("completed", timeout=_SOON)
    assert walk.find_barriers() == []
    walk.page.get_by_role("switch").uncheck()
    house.ring("+15005550110")
    house.write_log()
    with walk.page.expect_response("**/calls/live?**", timeout=_SOON):
        walk.page.get_by_role("switch").check()
    expect(row).to_have_count(3, timeout=_SOON)


def test_the_log_is_filtered_kept_and_taken_home(walk: Walk, tmp_path: Path) -> None:
    house, now = walk.house, datetime.now(UTC)
    house.ring("+15005550100", ends="completed", at=now - timedelta(days=10))
    house.ring("+15005550100", ends="busy", at=now - timedelta(minutes=20), From="+13035550143")
    house.ring("+15005550107", at=now - timedelta(minutes=10))
    house.write_log()
    walk.sign_in()
    walk.menu("Calls")
    rows = walk.page.locator("#calls tr")
    expect(rows).to_have_count(3)
    walk.page.get_by_label("Time", exact=True).select_option("1h")
    expect(rows).to_have_count(2)
    walk.page.get_by_text("Reject", exact=True).click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Winter poster")
    walk.press("Save filters")
    walk.sees("Filters saved")
    walk.menu("Home")
    walk.menu("Calls")
    expect(rows).to_have_count(1)
    assert "started=1h" in walk.path
    walk.press("Reset to default")
    expect(rows).to_have_count(3)
    walk.page.get_by_label("Caller", exact=True).fill("0143")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("busy")
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("CSV", tmp_path)
    [row] = csv.DictReader(saved.read_text(encoding="utf-8-sig").splitlines())
    assert (row["caller"], row["disposition"], row["reason"]) == ("+13035550143", "busy", "live")
    walk.go("/calls?caller=12")
    walk.sees("needs 3 digits or more")
    walk.go("/calls?decision=apology")
    walk.sees("No call fits these filters")


def test_a_calls_page_tells_what_happened_and_why(walk: Walk) -> None:
    house, now = walk.house, datetime.now(UTC)
    attested = {"StirVerstat": "TN-Validation-Passed-A"}
    house.ring("+15005550100", ends="completed", at=now - timedelta(minutes=5), **attested)
    house.ring("+15005550103", at=now - timedelta(minutes=3))
    house.ring("+15005550100", at=now - timedelta(minutes=1), From="+19005550144")
    house.write_log()
    walk.sign_in()
    walk.go("/calls")
    walk.page.locator("#calls tr").last.locator("td").nth(3).click()
    walk.sees("Connected to +1 415-555-0190, talked for 42 s.")
    walk.sees("vouched for by its carrier")
    walk.sees("the campaign has begun and has not ended, so the call is connected.")
    events = walk.page.locator(".hs-event")
    assert [line.split("reported")[0].strip() for line in events.locator("p").all_inner_texts()] == [
        "The call arrives and is decided: connect",
        "The business is being called",
        "The business's phone rings",
        "The business answers",
        "The business's side of the call ends",
        "The call ends",
        "Connecting is over: completed",
    ]
    walk.page.get_by_text("What the carrier sent").first.click()
    walk.sees("ParentCallSid")
    assert walk.find_barriers() == []
    # The other call of the same caller, without his number in any address.
    walk.page.locator("section", has_text="Other calls of this caller").get_by_role("link").first.click()
    walk.sees("Heard which business number to call instead.")
    assert "555" not in walk.path
    walk.go("/calls")
    walk.page.locator("#calls tr").first.locator("td").nth(3).click()
    walk.sees("Rejected: caller blocked.")
    walk.sees("premium-rate numbers do not ring bakeries")
    assert walk.find_barriers() == []

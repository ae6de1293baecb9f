"""What operators do with reports: narrow them, look at the calls behind a figure, take them home."""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.walk import Walk

_LEAFLET, _POSTER = "+15005550100", "+15005550107"


def tab(walk: Walk, name: str) -> None:
    walk.page.get_by_role("navigation", name="Reports").get_by_role("link", name=name, exact=True).click()


def test_a_figure_is_the_same_on_the_page_in_the_log_in_the_file_and_in_the_api(
    walk: Walk, tmp_path: Path
) -> None:
    house, now = walk.house, datetime.now(UTC)
    for days, ends in ((0, "completed"), (0, "completed"), (0, "busy"), (40, "completed")):
        house.ring(_LEAFLET, ends=ends, at=now - timedelta(days=days, minutes=2))
    house.ring(_POSTER, at=now - timedelta(minutes=1))
    house.write_log()
    walk.sign_in()
    walk.menu("Reports")
    total = walk.page.locator(".hs-totals .hs-figure")
    expect(total.first).to_contain_text("3 more (300 %)")
    assert walk.find_barriers() == []
    walk.page.get_by_text("Last 7 days", exact=True).click()
    expect(total.first).to_contain_text("4 more; there were none")
    assert "period=7d" in walk.path
    tab(walk, "Campaigns")
    assert walk.path == "/reports/campaigns?period=7d"
    row = walk.row("Leaflet")
    expect(row.get_by_role("cell")).to_have_text(
        ["1", "LEAFLET-1", "3", "2", "1", "0", "0", "3 more; there were none"]
    )
    assert walk.find_barriers() == []
    # The calls behind a figure.
    row.get_by_role("link", name="2", exact=True).click()
    expect(walk.page.locator("#calls tr")).to_have_count(2)
    walk.sees("2 calls")
    expect(walk.page.get_by_label("Began from")).to_have_value(re.compile("T00:00$"))
    assert walk.find_barriers() == []
    walk.page.go_back()
    # The same in a file and by the API.
    walk.page.get_by_text("Download", exact=True).click()
    saved = walk.download("CSV", tmp_path)
    rows = {
        row["campaign_id"]: row for row in csv.DictReader(saved.read_text(encoding="utf-8-sig").splitlines())
    }
    assert (rows["1"]["calls"], rows["1"]["answered"], rows["1"]["campaign_external_id"]) == (
        "3",
        "2",
        "LEAFLET-1",
    )
    answer = walk.page.request.get(f"{house.address}/api/v1/reports/campaigns?period=7d").json()
    assert {str(row["campaign_id"]): (row["calls"], row["answered"]) for row in answer["items"]} == {
        campaign: (int(row["calls"]), int(row["answered"])) for campaign, row in rows.items()
    }
    # Filters are kept, and follow from report to report.
    walk.page.get_by_label("Campaign", exact=True).select_option("1")
    walk.sees("Campaign ID 1, External ID LEAFLET-1")
    walk.press("Save filters")
    walk.sees("Filters saved")
    walk.menu("Home")
    walk.menu("Reports")
    walk.sees("Campaign ID 1, External ID LEAFLET-1")
    tab(walk, "Hours")
    expect(total.first).to_contain_text("3")
    walk.press("Reset to default")
    tab(walk, "Ended numbers")
    expect(walk.row("+1 500-555-0107")).to_contain_text("Campaign ended")
    assert walk.find_barriers() == []
    # A range of one's own.
    walk.page.get_by_label("First day").fill("2020-02-01")
    walk.page.get_by_label("Last day").fill("2020-01-01")
    walk.sees("Last day lies before the first day")
    walk.page.get_by_label("Last day").fill("2020-02-29")
    walk.sees("Nobody dialled a number in these days")
    expect(walk.page.get_by_role("radio", name="Own range")).to_be_checked()
    assert "first_day=2020-02-01&last_day=2020-02-29" in walk.path
